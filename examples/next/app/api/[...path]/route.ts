import { server } from '../../agent'

const answer = (request: Request): Promise<Response> => server.fetch(request)

export { answer as GET, answer as POST }
