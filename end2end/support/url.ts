/**
 * Returns a check for `waitForURL`: this path, and this query if given. A pattern would also match
 * `/resume?next=/dashboard`.
 */
export function at(place: string): (url: URL) => boolean {
  return ({ pathname, search }) => place === (place.includes('?') ? pathname + search : pathname);
}
