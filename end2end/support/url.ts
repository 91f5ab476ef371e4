/** For `waitForURL`: this path, and this query where one is given. No pattern: `/resume?next=/dashboard` is not the dashboard. */
export function at(place: string): (url: URL) => boolean {
  return ({ pathname, search }) => place === (place.includes('?') ? pathname + search : pathname);
}
