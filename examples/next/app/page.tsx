'use client'
import { useChat } from '@ai-sdk/react'
import { DefaultChatTransport, isToolUIPart, lastAssistantMessageIsCompleteWithApprovalResponses } from 'ai'
import { useState } from 'react'

export default function Page() {
  const [text, setText] = useState('')
  const [states, setStates] = useState<readonly string[]>([])
  const { messages, sendMessage, addToolApprovalResponse, error } = useChat({
    transport: new DefaultChatTransport({ api: '/api/v1/chat/cashier' }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
    onData: ({ type, data }) => {
      if (type === 'data-state') setStates((before) => [...before, (data as { readonly state: string }).state])
    },
  })
  const send = () => {
    setStates([])
    setText('')
    void sendMessage({ text })
  }
  return (
    <main>
      <p>{states.join(' → ')}</p>
      {messages.map(({ id, role, parts }) => (
        <article key={id}>
          <b>{role}</b>
          {parts.map((part, at) => {
            if (part.type === 'text') return <p key={at}>{part.text}</p>
            if (!isToolUIPart(part) || part.state !== 'approval-requested') return null
            const decide = (approved: boolean) => void addToolApprovalResponse({ id: part.approval.id, approved })
            return (
              <p key={at}>
                May this run? {JSON.stringify(part.input)} <button onClick={() => decide(true)}>Approve</button> <button onClick={() => decide(false)}>Reject</button>
              </p>
            )
          })}
        </article>
      ))}
      {error === undefined ? null : <p role="alert">{error.message}</p>}
      <input value={text} onChange={({ target }) => setText(target.value)} aria-label="message" /> <button onClick={send}>Send</button>
    </main>
  )
}
