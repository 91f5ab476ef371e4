import type { Page } from '@playwright/test';

/** Returns the ids that more than one element of the document has. */
export function repeatedIds(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
  });
}

/** Returns the names that more than one visible button has. With a screen reader nobody could distinguish them. */
export async function repeatedButtons(page: Page): Promise<string[]> {
  const snapshot = await page.locator('body').ariaSnapshot();
  const names = [...snapshot.matchAll(/- button "((?:[^"\\]|\\.)*)"/g)].map((match) => String(match[1]));
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/**
 * Opens every dialog of the page, one after the other, and compares its accessible name with the visible heading.
 * Returns the headings.
 */
export async function openDialogs(page: Page): Promise<string[]> {
  // A dialog in something folded cannot be seen.
  await page.locator('details').evaluateAll((folds) => folds.forEach((fold) => fold.setAttribute('open', '')));
  const count = await page.locator('dialog').count();
  const headings: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const dialog = page.locator('dialog').nth(index);
    await dialog.evaluate((element: HTMLDialogElement) => element.showModal());
    const heading = String(await dialog.getByRole('heading').textContent());
    const spoken = await page.getByRole('dialog').ariaSnapshot();
    if (!spoken.startsWith(`- dialog ${JSON.stringify(heading)}`)) throw new Error(`"${heading}" is announced as ${spoken.split('\n')[0]}`);
    headings.push(heading);
    await dialog.evaluate((element: HTMLDialogElement) => element.close());
  }
  return headings;
}
