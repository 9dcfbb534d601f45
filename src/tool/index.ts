export { defineReranker, defineRetriever, defineTool } from './define.ts'
export type { ToolDefinition } from './define.ts'
export type { Document, InnerModelCall, Reranker, Retriever, Services, Tool, ToolContext, ToolEffect } from './tool.ts'
