import OpenAI from 'openai'
import { fetch as ufetch } from 'undici'
import { openai } from '/work/main/src/model/index.ts'
import { fork } from 'node:child_process'
import { createServer } from 'node:http'
const json = JSON.stringify({ id:'x',object:'chat.completion',created:1,model:'m',choices:[{index:0,message:{role:'assistant',content:'Hello there '.repeat(50)},finish_reason:'stop'}],usage:{prompt_tokens:1,completion_tokens:2,total_tokens:3}})
const sse = Array.from({length:200},(_,i)=>`data: ${JSON.stringify({id:'x',object:'chat.completion.chunk',created:1,model:'m',choices:[{index:0,delta:{content:'tok '},finish_reason:null}]})}\n\n`).join('')+`data: ${JSON.stringify({choices:[{index:0,delta:{},finish_reason:'stop'}]})}\n\ndata: [DONE]\n\n`
if (process.argv[2]==='server') { createServer((q,r)=>{let b='';q.on('data',d=>b+=d);q.on('end',()=>{const s=b.includes('"stream":true');r.writeHead(200,{'content-type':s?'text/event-stream':'application/json'});r.end(s?sse:json)})}).listen(0,'127.0.0.1',function(this:any){process.send!(this.address().port)}) }
else {
const child=fork(process.argv[1]!,['server']); const port=await new Promise<number>(r=>child.once('message',m=>r(m as number)))
const baseURL=`http://127.0.0.1:${port}/v1`
const sdk=new OpenAI({apiKey:'kkkkkkkk',baseURL,maxRetries:0})
const sdkU=new OpenAI({apiKey:'kkkkkkkk',baseURL,maxRetries:0,fetch:ufetch as any})
const ours=openai({apiKey:'kkkkkkkk',baseURL})
const request={model:'m',messages:[{role:'user' as const,content:'hi'}],params:{maxOutputTokens:10}}
const io=()=>({signal:new AbortController().signal,timeouts:{connectMs:1e4,firstTokenMs:1e4,idleMs:1e4,totalMs:1e4},key:'k'})
const runs:Record<string,()=>Promise<unknown>>={
 sdkJson:()=>sdk.chat.completions.create({model:'m',messages:[{role:'user',content:'hi'}]}),
 sdkUJson:()=>sdkU.chat.completions.create({model:'m',messages:[{role:'user',content:'hi'}]}),
 oursJson:()=>ours.call(request,io()),
 sdkStream:async()=>{let t='';for await(const c of await sdk.chat.completions.create({model:'m',messages:[{role:'user',content:'hi'}],stream:true}))t+=c.choices[0]?.delta.content??''},
 sdkUStream:async()=>{let t='';for await(const c of await sdkU.chat.completions.create({model:'m',messages:[{role:'user',content:'hi'}],stream:true}))t+=c.choices[0]?.delta.content??''},
 oursStream:()=>ours.call(request,{...io(),onDelta:()=>{}}),
}
for(const round of [0,1,2])for(const [n,f] of Object.entries(runs)){const N=round===0?200:1500;const c=process.cpuUsage();for(let i=0;i<N;i++)await f();const d=process.cpuUsage(c);if(round)console.log(n,((d.user+d.system)/N).toFixed(0),'us cpu')}
child.kill()
}
