// The detector for refusals in plain text: what it finds, and above all what it must leave alone.
import { expect, test } from 'vitest'
import { isPlainRefusal } from '../../src/model/index.ts'

test.each([
  "I'm sorry, but I can't assist with that.",
  "I'm very sorry, but I can't assist with that request.",
  'I’m sorry, but I can’t help with that.',
  'Sorry, I cannot help with that request.',
  "I can't help with that.",
  'I cannot assist you with that.',
  'I am unable to assist with this request.',
  "I'm not able to help with that. Is there anything else?",
  'I cannot comply with this request.',
  'I won’t provide that information.',
  'Unfortunately, I cannot fulfill this request.',
  "I'm sorry, but I can't provide that kind of content.",
  'I must decline to answer that.',
  'Apologies, but I cannot generate such content.',
])('%j is a refusal', (text) => {
  expect(isPlainRefusal(text)).toBe(true)
})

test.each([
  '',
  'Yes.',
  "I'm sorry, but I can't find the order you mention.",
  "I can't see any errors in this code.",
  'I cannot recommend the second option, since it costs more.',
  'Unfortunately, the order has already been shipped.',
  "I'm sorry to hear that. Let me look into it.",
  'I am unable to access real-time data, but in general Bern is rainy in May.',
  "I'm not able to find a booking under that name. Could you check the number?",
  "Sorry, we can't help with that until your identity is confirmed, but I can send you a link.",
  'The model answered: "I\'m sorry, but I can\'t assist with that."',
  `I can't help with that exact version, so here is a full walk-through of the newer one. ${'It has many steps. '.repeat(40)}`,
  "I can't do that until you log in.",
  "I can't answer that without your order number.",
  "I can't provide this service on Sundays.",
  'I cannot process this request right now: the payment service is down.',
  "You can't help with that.",
])('%j is an answer', (text) => {
  expect(isPlainRefusal(text)).toBe(false)
})
