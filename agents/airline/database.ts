// The airline's database: flights, reservations and users as JSON. Invariant: a record is replaced and never changed, so
// that opening the data again costs no copy and one run never sees what another did.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Cabin = 'basic_economy' | 'economy' | 'business'
type PerCabin = { readonly [cabin in Cabin]: number }

export interface Flight {
  readonly flight_number: string
  readonly origin: string
  readonly destination: string
  readonly scheduled_departure_time_est: string
  /** Ends with `+1` when it lands on the next day. */
  readonly scheduled_arrival_time_est: string
  readonly dates: { readonly [date: string]: { readonly status: string; readonly available_seats?: PerCabin; readonly prices?: PerCabin } }
}

export interface Passenger {
  readonly first_name: string
  readonly last_name: string
  readonly dob: string
}

export interface Payment {
  readonly payment_id: string
  readonly amount: number
}

/** One leg of a reservation. */
export interface Leg {
  readonly flight_number: string
  readonly date: string
  readonly price: number
  readonly origin: string
  readonly destination: string
}

export interface Reservation {
  readonly reservation_id: string
  readonly user_id: string
  readonly origin: string
  readonly destination: string
  readonly flight_type: 'one_way' | 'round_trip'
  readonly cabin: Cabin
  readonly flights: readonly Leg[]
  readonly passengers: readonly Passenger[]
  readonly payment_history: readonly Payment[]
  readonly created_at: string
  readonly total_baggages: number
  readonly nonfree_baggages: number
  readonly insurance: 'yes' | 'no'
  readonly status?: 'cancelled'
}

export type PaymentMethod = { readonly source: 'credit_card'; readonly id: string } | { readonly source: 'gift_card' | 'certificate'; readonly amount: number; readonly id: string }

export interface User {
  readonly payment_methods: { readonly [id: string]: PaymentMethod }
  readonly reservations: readonly string[]
  readonly [field: string]: unknown
}

/** The data as files hold it. */
export interface AirlineData {
  readonly flights: { readonly [number: string]: Flight }
  readonly reservations: { readonly [id: string]: Reservation }
  readonly users: { readonly [id: string]: User }
}

/** A database that one application, or one replay, works on. */
export interface AirlineDatabase {
  readonly flights: { readonly [number: string]: Flight }
  readonly reservations: { [id: string]: Reservation }
  readonly users: { [id: string]: User }
}

/** Opens data; what is done to it stays in the database that is returned. */
export const openDatabase = ({ flights, reservations, users }: AirlineData): AirlineDatabase => ({ flights, reservations: { ...reservations }, users: { ...users } })

/** Reads the three files of a folder. @param users file of the users, when it has another name. */
export const readData = (folder: string, users = 'users.json'): AirlineData => {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  return { flights: read('flights.json'), reservations: read('reservations.json'), users: read(users) } as AirlineData
}
