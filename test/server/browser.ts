// A real browser for tests, without one installed on the machine.
import sparticuz from '@sparticuz/chromium'
import { chromium, type Browser } from 'playwright-core'

/** Starts Chromium. */
export const openBrowser = async (): Promise<Browser> => chromium.launch({ executablePath: await sparticuz.executablePath(), args: sparticuz.args, headless: true })
