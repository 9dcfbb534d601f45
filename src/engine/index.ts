// The front door of `stateloop/restate`: runs on a distributed engine. The SDK is the user's own dependency.
export { restate } from './restate.ts'
export type { RestateOptions, RestateServices, RestateStart } from './restate.ts'
export { restateClient } from './restate-client.ts'
export type { RestateClient, RestateClientOptions } from './restate-client.ts'
export { serveServices } from './serve-services.ts'
export type { ServedRestate } from './serve-services.ts'
