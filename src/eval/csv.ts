// Cases from comma-separated values. Invariant: a cell that begins like JSON is JSON, every other one is text, and columns
// such as `input.question` build objects.
// @see https://www.rfc-editor.org/rfc/rfc4180
import { fail } from '../failure/index.ts'

/** Records of a CSV text; quoted cells may hold commas, line ends and doubled quotes. */
const recordsOf = (path: string, text: string): readonly (readonly string[])[] => {
  const records: string[][] = []
  let record: string[] = []
  let cell = ''
  let quoted = false
  const endCell = (): void => {
    record.push(cell)
    cell = ''
  }
  const endRecord = (): void => {
    endCell()
    if (record.length > 1 || record[0] !== '') records.push(record)
    record = []
  }
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (quoted && character === '"' && text[at + 1] === '"') cell += text[++at]
    else if (quoted && character === '"') quoted = false
    else if (quoted) cell += character
    else if (character === '"' && cell === '') quoted = true
    else if (character === ',') endCell()
    else if (character === '\n') endRecord()
    else if (character !== '\r') cell += character
  }
  if (quoted) fail('usage', `${path} ends inside a quoted cell. Close it with ".`)
  if (cell !== '' || record.length > 0) endRecord()
  return records
}

const cellValue = (text: string): unknown => {
  if (!/^\s*[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Objects that CSV can name, so that a column cannot reach a prototype. */
const FIELDS = new Set(['id', 'input', 'expected', 'tags', 'cluster', 'metadata', 'sourceRun'])

const rowOf = (path: string, header: readonly string[], record: readonly string[]): object => {
  const row: Record<string, unknown> = {}
  for (const [at, column] of header.entries()) {
    const text = record[at] ?? ''
    const [field = '', name, ...deeper] = column.trim().split('.')
    if (!FIELDS.has(field) || deeper.length > 0) fail('usage', `${path} has the column ${JSON.stringify(column)}. Columns are ${[...FIELDS].join(', ')}, and one level below: input.question.`)
    if (text === '' && field !== 'input') continue
    if (name !== undefined) row[field] = Object.assign(Object.create(null) as object, row[field], { [name]: cellValue(text) })
    else row[field] = field === 'tags' ? text.split(/[;|]/).map((tag) => tag.trim()) : field === 'id' || field === 'cluster' ? text : cellValue(text)
  }
  return JSON.parse(JSON.stringify(row)) as object
}

/** Rows of a CSV text with a header, as the objects that cases are checked from. @throws FailureError `usage`. */
export const csvCases = (path: string, text: string): readonly object[] => {
  const [header, ...records] = recordsOf(path, text)
  if (header === undefined) return fail('usage', `${path} is empty. Its first line names the columns: id,input,expected.`)
  return records.map((record) => rowOf(path, header, record))
}
