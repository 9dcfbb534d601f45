// The receiver ships no types: what the collector uses of it.
declare module '@elastic/mockotlpserver' {
  export class MockOtlpServer {
    constructor(options: object)
    readonly httpUrl: URL | string
    start(): Promise<void>
    close(): Promise<void>
  }
}
