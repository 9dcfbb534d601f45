// The fourteen tools of the airline, over the JSON database that the runtime hands them. Each answers with text, also
// when it refuses, because that is what the model of the recorded runs was shown.
import { defineTool, type ToolContext } from 'stateloop'
import { z } from 'zod'
import { arithmetic } from './arithmetic.ts'
import { bookReservation, cancelReservation, changeBaggage, changeFlights, changePassengers, findDirect, findOneStop, grantCertificate } from './booking.ts'
import type { AirlineDatabase } from './database.ts'
import { pythonFloat, pythonJson } from './python-text.ts'

const databaseOf = (context: ToolContext): AirlineDatabase => context.services['airline'] as AirlineDatabase

const Cabin = z.enum(['basic_economy', 'economy', 'business'])

/** An object that is taken as the model wrote it, other fields and their order included: results show it again. */
const asWritten = <S extends z.ZodObject>(shape: S): z.ZodType<z.output<S>> => {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(shape)
  return z
    .any()
    .refine((value) => shape.safeParse(value).success, `must have ${Object.keys(shape.shape).join(', ')}`)
    .meta(schema)
}

const Passenger = asWritten(z.object({ first_name: z.string(), last_name: z.string(), dob: z.string() }))
const LegChoice = asWritten(z.object({ flight_number: z.string(), date: z.string().describe('YYYY-MM-DD') }))
const Paid = asWritten(z.object({ payment_id: z.string(), amount: z.number() }))

/** A tool that only reads. */
const reading = <S extends z.ZodType>(description: string, input: S, run: (input: z.output<S>, database: AirlineDatabase) => string) =>
  defineTool({ description, input, run: (given, context) => run(given as z.output<S>, databaseOf(context)) })

/** A tool that changes reservations or users. What the policy asks of the user's consent is said in the conversation. */
const writing = <S extends z.ZodType>(description: string, input: S, run: (input: z.output<S>, database: AirlineDatabase) => string) =>
  defineTool({ description, input, effect: 'reversible', run: (given, context) => run(given as z.output<S>, databaseOf(context)) })

const AIRPORTS = {
  SFO: 'San Francisco',
  JFK: 'New York',
  LAX: 'Los Angeles',
  ORD: 'Chicago',
  DFW: 'Dallas',
  DEN: 'Denver',
  SEA: 'Seattle',
  ATL: 'Atlanta',
  MIA: 'Miami',
  BOS: 'Boston',
  PHX: 'Phoenix',
  IAH: 'Houston',
  LAS: 'Las Vegas',
  MCO: 'Orlando',
  EWR: 'Newark',
  CLT: 'Charlotte',
  MSP: 'Minneapolis',
  DTW: 'Detroit',
  PHL: 'Philadelphia',
  LGA: 'LaGuardia',
} as const

/** What the airline agent can do. */
export const tools = {
  get_user_details: reading('Looks up a user: profile, payment methods and reservations.', z.object({ user_id: z.string() }), ({ user_id }, { users }) =>
    users[user_id] === undefined ? 'Error: user not found' : pythonJson(users[user_id]),
  ),
  get_reservation_details: reading('Looks up a reservation.', z.object({ reservation_id: z.string() }), ({ reservation_id }, { reservations }) =>
    reservations[reservation_id] === undefined ? 'Error: reservation not found' : pythonJson(reservations[reservation_id]),
  ),
  list_all_airports: reading('Lists the airports with their cities.', z.object({}), () => pythonJson(AIRPORTS)),
  search_direct_flight: reading('Finds direct flights between two airports on a day.', z.object({ origin: z.string(), destination: z.string(), date: z.string() }), (trip, { flights }) =>
    pythonJson(findDirect(flights, trip)),
  ),
  search_onestop_flight: reading('Finds flights with one stop between two airports on a day.', z.object({ origin: z.string(), destination: z.string(), date: z.string() }), (trip, { flights }) =>
    pythonJson(findOneStop(flights, trip)),
  ),
  calculate: reading('Computes an expression of numbers, + - * / and brackets.', z.object({ expression: z.string() }), ({ expression }) => {
    const value = arithmetic(expression)
    return Number.isNaN(value) ? 'Error: invalid expression' : pythonFloat(value)
  }),
  think: reading('Writes a thought down. It changes nothing and finds nothing out.', z.object({ thought: z.string() }), () => ''),
  transfer_to_human_agents: reading('Hands the user over to a person, with a summary.', z.object({ summary: z.string() }), () => 'Transfer successful'),
  book_reservation: writing(
    'Books flights for a user.',
    z.object({
      user_id: z.string(),
      origin: z.string(),
      destination: z.string(),
      flight_type: z.enum(['one_way', 'round_trip']),
      cabin: Cabin,
      flights: z.array(LegChoice),
      passengers: z.array(Passenger),
      payment_methods: z.array(Paid),
      total_baggages: z.number(),
      nonfree_baggages: z.number(),
      insurance: z.enum(['yes', 'no']),
    }),
    (order, database) => bookReservation(database, order),
  ),
  cancel_reservation: writing('Cancels a whole reservation.', z.object({ reservation_id: z.string() }), ({ reservation_id }, database) => cancelReservation(database, reservation_id)),
  update_reservation_flights: writing(
    'Changes the flights or the cabin of a reservation. All flights must be given, also those that stay.',
    z.object({ reservation_id: z.string(), cabin: Cabin, flights: z.array(LegChoice), payment_id: z.string() }),
    (change, database) => changeFlights(database, change),
  ),
  update_reservation_baggages: writing(
    'Changes the bags of a reservation.',
    z.object({ reservation_id: z.string(), total_baggages: z.number(), nonfree_baggages: z.number(), payment_id: z.string() }),
    (change, database) => changeBaggage(database, change),
  ),
  update_reservation_passengers: writing('Changes who travels, not how many.', z.object({ reservation_id: z.string(), passengers: z.array(Passenger) }), (change, database) => changePassengers(database, change)),
  send_certificate: writing('Gives a user a certificate. Be careful.', z.object({ user_id: z.string(), amount: z.number() }), ({ user_id, amount }, database) => grantCertificate(database, user_id, amount)),
}

/** Their names. */
export const TOOL_NAMES = Object.keys(tools) as (keyof typeof tools)[]
