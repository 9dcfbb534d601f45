// Content hashes: SHA-256 over canonical JSON (RFC 8785), so equal data has equal hashes on every machine.
// @see https://www.rfc-editor.org/rfc/rfc8785
import { hash } from 'node:crypto'
import canonicalizeJson from 'canonicalize'

/** Canonical JSON text. @throws Error for values that are not JSON (NaN, cycles, BigInt, lone surrogates). */
export const canonical = (value: unknown): string => canonicalizeJson(value) ?? 'null'

/** SHA-256 of text, hexadecimal, 64 characters. */
export const sha256 = (text: string): string => hash('sha256', text)

/** Hash of a value, hexadecimal, 64 characters. */
export const hashOf = (value: unknown): string => sha256(canonical(value))

/** A short hash for places that store many: the first 16 hexadecimal characters (64 bits). */
export const shortHash = (value: unknown): string => hashOf(value).slice(0, 16)
