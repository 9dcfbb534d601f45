// `stateloop/otel`: one call that sets up OpenTelemetry's own SDK and sends what runs do to an OTLP collector. Invariant:
// where it is sent, and how, is decided by the usual `OTEL_*` variables and by nothing else.
import { fail } from '../failure/index.ts'

/** Options of `exportTelemetry`. */
export interface TelemetryOptions {
  /** How the application is called in traces. Default: `OTEL_SERVICE_NAME`, then `unknown_service:node`. */
  readonly serviceName?: string
}

/** An exporter at work. */
export interface Telemetry extends AsyncDisposable {
  /** Sends what is still waiting, then stops. Call it after closing the runtime and before the process ends. */
  readonly close: () => Promise<void>
}

const load = async (): Promise<typeof import('@opentelemetry/sdk-node')> => {
  try {
    return await import('@opentelemetry/sdk-node')
  } catch (thrown) {
    return fail('usage', 'Exporting traces needs the package @opentelemetry/sdk-node: npm install @opentelemetry/sdk-node', { cause: thrown })
  }
}

/**
 * Registers providers for traces, metrics and log events that send to `OTEL_EXPORTER_OTLP_ENDPOINT`, by default
 * http://localhost:4318. Runtimes trace every run that begins afterwards.
 * @example await using telemetry = await exportTelemetry({ serviceName: 'shop' })
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @throws FailureError `usage` when `@opentelemetry/sdk-node` is not installed.
 */
export const exportTelemetry = async ({ serviceName }: TelemetryOptions = {}): Promise<Telemetry> => {
  const { NodeSDK } = await load()
  // The one detector left out sends the command line of the process, which may hold a key.
  process.env['OTEL_NODE_RESOURCE_DETECTORS'] ??= 'env,host,os,serviceinstance'
  const sdk = new NodeSDK(serviceName === undefined ? {} : { serviceName })
  sdk.start()
  const close = (): Promise<void> => sdk.shutdown()
  return { close, [Symbol.asyncDispose]: close }
}
