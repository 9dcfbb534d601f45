// Which logic opens which kind of effect.
import type { EffectSpec } from '../../agent/index.ts'
import type { EffectContext, RunningEffect } from '../effect.ts'
import { openAgent, openEach } from './children.ts'
import { openCode } from './code.ts'
import { openCompact } from './compact.ts'
import { openDecide } from './decide.ts'
import { openModel } from './model.ts'
import { openRerank, openRetrieve } from './retrieve.ts'
import { openTool } from './tool.ts'
import { openTools } from './tools.ts'
import { openApprove, openHuman, openWait } from './waits.ts'

/** Opens an effect of any kind. @throws what callbacks of the author throw: a defect. */
export const openEffect = (spec: EffectSpec, context: EffectContext): RunningEffect => {
  switch (spec.kind) {
    case 'model':
      return openModel(spec, context)
    case 'tools':
      return openTools(spec, context)
    case 'tool':
      return openTool(spec, context)
    case 'retrieve':
      return openRetrieve(spec, context)
    case 'rerank':
      return openRerank(spec, context)
    case 'human':
      return openHuman(spec, context)
    case 'approve':
      return openApprove(spec, context)
    case 'code':
      return openCode(spec, context)
    case 'wait':
      return openWait(spec, context)
    case 'agent':
      return openAgent(spec, context)
    case 'each':
      return openEach(spec, context)
    case 'compact':
      return openCompact(spec, context)
    case 'decide':
      return openDecide(spec, context)
  }
}
