// The Next.js example as a user has it: copied, installed beside the packed package, built, started, and asked by the AI SDK's
// own chat. A script stands in for the model, as where there is no key.
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses, type UIMessage } from 'ai'
import { expect, test, vi } from 'vitest'
import { Chat } from '../server/chat.ts'
import { newcomerFolder } from './folder.ts'
import { packed, root } from './packed.ts'

const partsOf = (message: UIMessage | undefined): readonly any[] => (message?.parts ?? []).filter(({ type }) => type === 'text' || type === 'dynamic-tool')

test('the Next.js example builds, and its chat asks before it pays', { timeout: 300_000 }, async () => {
  await using folder = await newcomerFolder()
  await cp(join(root, 'examples', 'next'), folder.path, { recursive: true, filter: (path) => !/[\\/](node_modules|\.next)$/.test(path) })
  const manifest = await readFile(join(folder.path, 'package.json'), 'utf8')
  await folder.save('package.json', manifest.replace('file:../..', `file:${(await packed()).tarball}`))
  await folder.type('npm install')
  expect(await folder.type('npm run build')).toMatch(/ƒ \/api\/\[\.\.\.path\]/)

  const started = await folder.begin('npx next start --port 0', /http:\/\/localhost:[1-9]\d*[^]*Ready in/)
  const [url = ''] = /http:\/\/localhost:\d+/.exec(started.said) ?? []
  expect(await (await fetch(url)).text()).toContain('aria-label="message"')
  const states: unknown[] = []
  const chat = new Chat({
    transport: new DefaultChatTransport<UIMessage>({ api: `${url}/api/v1/chat/cashier` }),
    onData: ({ type, data }) => type === 'data-state' && states.push((data as { readonly state: string }).state),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  })
  await chat.sendMessage({ text: 'Pay 7.' })
  const [asked] = partsOf(chat.lastMessage)
  expect(asked).toMatchObject({ toolName: 'pay', state: 'approval-requested', input: { amount: 7 } })
  await chat.addToolApprovalResponse({ id: asked.approval.id, approved: true })
  await vi.waitUntil(() => chat.status === 'ready' && partsOf(chat.lastMessage).length > 1, { timeout: 60_000 })
  expect(partsOf(chat.lastMessage)).toMatchObject([{ state: 'output-available', output: { paid: 7 } }, { text: 'Done: {"paid":7}' }])
  expect(states).toContain('acting')
})
