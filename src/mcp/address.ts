// Where an MCP server is, as an author says it.
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

/** A server behind HTTP. */
export interface McpHttpAddress {
  /** The address of its streamable HTTP endpoint. */
  readonly url: string
  /** Sent with every request to the server's origin: `authorization` for example. A function is asked for each request. */
  readonly headers?: { readonly [name: string]: string } | (() => { readonly [name: string]: string } | Promise<{ readonly [name: string]: string }>)
  /** Registers, asks for tokens and keeps them: the SDK's `ClientCredentialsProvider`, or your own. */
  readonly authProvider?: OAuthClientProvider
  /** Gives the code that came back after `authProvider` sent a person to the authorization page. Without it such a server is `auth_failed`. */
  readonly authorizationCode?: () => string | Promise<string>
  /** Sends requests. Default: the platform's `fetch`. */
  readonly fetch?: typeof fetch
}

/** Where an MCP server is. */
export type McpServerAddress =
  | {
      /** A program that speaks over its standard input and output. */
      readonly command: string
      readonly args?: readonly string[]
      /** Added to the few variables that are safe to pass on; nothing else of this process's environment is. */
      readonly env?: { readonly [name: string]: string }
      readonly cwd?: string
      /** Where what it writes to standard error goes. Default `ignore`. */
      readonly stderr?: 'ignore' | 'inherit'
    }
  | McpHttpAddress
  /** A transport of the SDK, made anew for each connection. */
  | { readonly transport: () => Transport | Promise<Transport> }
