// What the airline does with flights, reservations and payments. Invariant: an order is checked as a whole before anything
// is written, so a refused one leaves no trace.
import type { AirlineDatabase, Cabin, Flight, Leg, Passenger, Payment, PaymentMethod, Reservation, User } from './database.ts'
import { pythonJson } from './python-text.ts'

/** The moment that all recorded runs take place at. */
const NOW = '2024-05-15T15:00:00'
const INSURANCE_USD = 30
const BAG_USD = 50
const RESERVATION_IDS = ['HATHAT', 'HATHAU', 'HATHAV'] as const
const CERTIFICATE_IDS = [3221322, 3221323, 3221324] as const

interface Trip {
  readonly origin: string
  readonly destination: string
  readonly date: string
}

type Offer = Omit<Flight, 'dates'> & Flight['dates'][string] & { readonly date?: string }

/** A flight as a search shows it; undefined when it cannot be booked that day. */
const offerOf = ({ dates, ...flight }: Flight, date: string): Offer | undefined => {
  const day = dates[date]
  return day?.status === 'available' ? { ...flight, ...day } : undefined
}

/** Direct flights that can be booked. */
export const findDirect = (flights: AirlineDatabase['flights'], { origin, destination, date }: Trip): readonly Offer[] =>
  Object.values(flights).flatMap((flight) => (flight.origin === origin && flight.destination === destination ? (offerOf(flight, date) ?? []) : []))

const nextDay = (date: string): string => `2024-05-${Number(date.slice(-2)) + 1}`

/** Pairs of flights with one stop; the second leaves after the first has landed. */
export const findOneStop = (flights: AirlineDatabase['flights'], { origin, destination, date }: Trip): readonly (readonly Offer[])[] => {
  const all = Object.values(flights)
  return all.flatMap((first) => {
    if (first.origin !== origin) return []
    const date2 = first.scheduled_arrival_time_est.includes('+1') ? nextDay(date) : date
    return all.flatMap((second) => {
      if (second.destination !== destination || first.destination !== second.origin || first.scheduled_arrival_time_est > second.scheduled_departure_time_est) return []
      // The second flight is named with the day it leaves, but with the seats and prices of the first day: so it was recorded.
      const [one, two] = [offerOf(first, date), offerOf(second, date)]
      return one === undefined || two === undefined
        ? []
        : [
            [
              { ...one, date },
              { ...two, date: date2 },
            ],
          ]
    })
  })
}

type LegChoice = { readonly flight_number: string; readonly date: string }

/** A leg with its price today, or why it cannot be had. */
const legOf = (flights: AirlineDatabase['flights'], choice: LegChoice, cabin: Cabin, seats: number): Leg | string => {
  const { flight_number, date } = choice
  const flight = flights[flight_number]
  if (flight === undefined) return `Error: flight ${flight_number} not found`
  const day = flight.dates[date]
  if (day === undefined) return `Error: flight ${flight_number} not found on date ${date}`
  if (day.status !== 'available' || day.available_seats === undefined || day.prices === undefined) return `Error: flight ${flight_number} not available on date ${date}`
  if (day.available_seats[cabin] < seats) return `Error: not enough seats on flight ${flight_number}`
  return { ...choice, price: day.prices[cabin], origin: flight.origin, destination: flight.destination }
}

/** All legs, or the first reason why not. @param kept a leg that stays at its price. */
const legsOf = (flights: AirlineDatabase['flights'], choices: readonly LegChoice[], cabin: Cabin, seats: number, kept: (choice: LegChoice) => Leg | undefined = () => undefined): readonly Leg[] | string => {
  const legs: Leg[] = []
  for (const choice of choices) {
    const before = kept(choice)
    const leg = before === undefined ? legOf(flights, choice, cabin, seats) : { ...choice, price: before.price, origin: before.origin, destination: before.destination }
    if (typeof leg === 'string') return leg
    legs.push(leg)
  }
  return legs
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
const priceOf = (legs: readonly Leg[]): number => sum(legs.map(({ price }) => price))

/** A user who has paid: gift cards are charged, certificates are used up. */
const charged = (user: User, { payment_id, amount }: Payment): User => {
  const method = user.payment_methods[payment_id]
  if (method?.source === 'gift_card') return { ...user, payment_methods: { ...user.payment_methods, [payment_id]: { ...method, amount: method.amount - amount } } }
  if (method?.source !== 'certificate') return user
  const { [payment_id]: _used, ...left } = user.payment_methods
  return { ...user, payment_methods: left }
}

interface Order {
  readonly user_id: string
  readonly origin: string
  readonly destination: string
  readonly flight_type: Reservation['flight_type']
  readonly cabin: Cabin
  readonly flights: readonly LegChoice[]
  readonly passengers: readonly Passenger[]
  readonly payment_methods: readonly Payment[]
  readonly total_baggages: number
  readonly nonfree_baggages: number
  readonly insurance: Reservation['insurance']
}

const refusePayments = (user: User, payments: readonly Payment[], totalUsd: number): string | undefined => {
  for (const { payment_id, amount } of payments) {
    const method = user.payment_methods[payment_id]
    if (method === undefined) return `Error: payment method ${payment_id} not found`
    if (method.source !== 'credit_card' && method.amount < amount) return `Error: not enough balance in payment method ${payment_id}`
  }
  const paid = sum(payments.map(({ amount }) => amount))
  return paid === totalUsd ? undefined : `Error: payment amount does not add up, total price is ${totalUsd}, but paid ${paid}`
}

/** Books, or says why not. */
export const bookReservation = (database: AirlineDatabase, order: Order): string => {
  const { reservations, users, flights } = database
  const user = users[order.user_id]
  if (user === undefined) return 'Error: user not found'
  const seats = order.passengers.length
  const legs = legsOf(flights, order.flights, order.cabin, seats)
  if (typeof legs === 'string') return legs
  const total = priceOf(legs) * seats + (order.insurance === 'yes' ? INSURANCE_USD * seats : 0) + BAG_USD * order.nonfree_baggages
  const refused = refusePayments(user, order.payment_methods, total)
  if (refused !== undefined) return refused
  const id = RESERVATION_IDS.find((candidate) => reservations[candidate] === undefined)
  if (id === undefined) return 'Error: too many reservations'
  const reservation: Reservation = {
    reservation_id: id,
    user_id: order.user_id,
    origin: order.origin,
    destination: order.destination,
    flight_type: order.flight_type,
    cabin: order.cabin,
    flights: legs,
    passengers: order.passengers,
    payment_history: order.payment_methods,
    created_at: NOW,
    total_baggages: order.total_baggages,
    nonfree_baggages: order.nonfree_baggages,
    insurance: order.insurance,
  }
  reservations[id] = reservation
  users[order.user_id] = { ...order.payment_methods.reduce(charged, user), reservations: [...user.reservations, id] }
  return pythonJson(reservation)
}

/** Cancels: every payment is paid back, in 5 to 7 days and so not into the balances yet. */
export const cancelReservation = ({ reservations }: AirlineDatabase, id: string): string => {
  const reservation = reservations[id]
  if (reservation === undefined) return 'Error: reservation not found'
  const refunds = reservation.payment_history.map(({ payment_id, amount }) => ({ payment_id, amount: -amount }))
  const cancelled: Reservation = { ...reservation, payment_history: [...reservation.payment_history, ...refunds], status: 'cancelled' }
  reservations[id] = cancelled
  return pythonJson(cancelled)
}

/** Why a change cannot be paid this way. */
const refuseChange = (method: PaymentMethod | undefined, totalUsd: number): string | undefined => {
  if (method === undefined) return 'Error: payment method not found'
  if (method.source === 'certificate') return 'Error: certificate cannot be used to update reservation'
  return method.source === 'gift_card' && method.amount < totalUsd ? 'Error: gift card balance is not enough' : undefined
}

/** Writes a change with what it costs, or says why it cannot be paid. */
const payChange = ({ reservations, users }: AirlineDatabase, changed: Reservation, payment: Payment): string => {
  const user = users[changed.user_id]
  if (user === undefined) return 'Error: user not found'
  const refused = refuseChange(user.payment_methods[payment.payment_id], payment.amount)
  if (refused !== undefined) return refused
  const paid = payment.amount === 0 ? changed : { ...changed, payment_history: [...changed.payment_history, payment] }
  reservations[changed.reservation_id] = paid
  users[changed.user_id] = charged(user, payment)
  return pythonJson(paid)
}

/** Changes flights at today's prices; a leg that stays in its cabin keeps its own. The cabin on record stays as it was booked. */
export const changeFlights = (database: AirlineDatabase, change: { readonly reservation_id: string; readonly cabin: Cabin; readonly flights: readonly LegChoice[]; readonly payment_id: string }): string => {
  const reservation = database.reservations[change.reservation_id]
  if (reservation === undefined) return 'Error: reservation not found'
  const seats = reservation.passengers.length
  const kept = ({ flight_number, date }: LegChoice): Leg | undefined => (change.cabin === reservation.cabin ? reservation.flights.find((leg) => leg.flight_number === flight_number && leg.date === date) : undefined)
  const legs = legsOf(database.flights, change.flights, change.cabin, seats, kept)
  if (typeof legs === 'string') return legs
  return payChange(database, { ...reservation, flights: legs }, { payment_id: change.payment_id, amount: (priceOf(legs) - priceOf(reservation.flights)) * seats })
}

/** Changes bags; each further one beyond the allowance is paid. */
export const changeBaggage = (database: AirlineDatabase, change: { readonly reservation_id: string; readonly total_baggages: number; readonly nonfree_baggages: number; readonly payment_id: string }): string => {
  const reservation = database.reservations[change.reservation_id]
  if (reservation === undefined) return 'Error: reservation not found'
  const { total_baggages, nonfree_baggages, payment_id } = change
  return payChange(database, { ...reservation, total_baggages, nonfree_baggages }, { payment_id, amount: BAG_USD * Math.max(0, nonfree_baggages - reservation.nonfree_baggages) })
}

/** Changes who travels. */
export const changePassengers = ({ reservations }: AirlineDatabase, { reservation_id, passengers }: { readonly reservation_id: string; readonly passengers: readonly Passenger[] }): string => {
  const reservation = reservations[reservation_id]
  if (reservation === undefined) return 'Error: reservation not found'
  if (reservation.passengers.length !== passengers.length) return 'Error: number of passengers does not match'
  const changed = { ...reservation, passengers }
  reservations[reservation_id] = changed
  return pythonJson(changed)
}

/** Gives a user a certificate. */
export const grantCertificate = ({ users }: AirlineDatabase, userId: string, amount: number): string => {
  const user = users[userId]
  if (user === undefined) return 'Error: user not found'
  const id = CERTIFICATE_IDS.map((number) => `certificate_${number}`).find((candidate) => user.payment_methods[candidate] === undefined)
  if (id === undefined) return 'Error: too many certificates'
  users[userId] = { ...user, payment_methods: { ...user.payment_methods, [id]: { source: 'certificate', amount, id } } }
  return `Certificate ${id} added to user ${userId} with amount ${amount}.`
}
