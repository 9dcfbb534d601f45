import chromium from '@sparticuz/chromium'
import { chromium as pw } from 'playwright-core'
import { readFileSync } from 'node:fs'
const { url } = JSON.parse(readFileSync('/tmp/insp.out','utf8'))
const b = await pw.launch({ executablePath: await chromium.executablePath(), args: chromium.args })
const p = await b.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: process.argv[2] ?? 'light' })
p.on('console', m => console.log('console', m.type(), m.text())); p.on('pageerror', e => console.log('pageerror', e.message))
await p.goto(url); await p.waitForTimeout(1500)
await p.screenshot({ path: '/tmp/s1.png' })
await p.locator('.run').nth(2).click(); await p.waitForTimeout(800)
await p.keyboard.press('Home'); for (let i=0;i<4;i++) await p.keyboard.press('ArrowRight')
await p.keyboard.press('2'); await p.waitForTimeout(300)
await p.screenshot({ path: '/tmp/s2.png' })
await p.locator('.agents button').first().click(); await p.waitForTimeout(1000); await p.screenshot({ path: '/tmp/s3.png' })
await p.locator('.run').nth(2).click(); await p.waitForTimeout(300); await p.locator('.run').nth(3).click({modifiers:['Shift']}); await p.waitForTimeout(1500); await p.screenshot({ path: '/tmp/s4.png' })
await b.close()
