declare const brand: unique symbol

/** A value of type `T` of which `Name` has been proved by its one maker. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
