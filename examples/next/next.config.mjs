// The library stays outside of the bundle: it loads its providers and SQLite when it needs them.
export default { serverExternalPackages: ['stateloop'], turbopack: { root: import.meta.dirname } }
