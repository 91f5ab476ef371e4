import { expect, type Page } from '@playwright/test';

/** What can be used on a page, in the order in which it stands there. */
function usable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const all = document.querySelectorAll<HTMLElement>('a[href], button:not([disabled]), input, select, textarea, summary, [tabindex="0"]');
    // A dialog keeps the focus to itself, and what is closed holds nothing to use.
    const within = document.querySelector('dialog[open]') ?? document;
    return [...all].filter((one) => within.contains(one) && one.checkVisibility({ visibilityProperty: true })).map((one) => one.outerHTML.slice(0, 120));
  });
}

/** Presses Tab from the top until everything was there, and says what had the focus, and what of it could not be seen. */
async function walk(page: Page, steps: number): Promise<{ reached: string[]; unseen: string[] }> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    window.scrollTo(0, 0);
    // Tab goes on from where the page was clicked last: from its beginning, then.
    const top = document.querySelector('dialog[open]') ?? document.body;
    getSelection()?.setBaseAndExtent(top, 0, top, 0);
  });
  const reached: string[] = [];
  const unseen: string[] = [];
  for (let step = 0; step < steps + 12 && reached.length < steps; step += 1) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const one = document.activeElement as HTMLElement | null;
      if (!one || one === document.body) return undefined;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      // A date has fields within, which the browser marks itself.
      const seen = one.matches('[type=date]') || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2);
      return { html: one.outerHTML.slice(0, 120), seen };
    });
    if (!focus) continue;
    if (!reached.includes(focus.html)) reached.push(focus.html);
    if (!focus.seen) unseen.push(focus.html);
  }
  return { reached, unseen };
}

/** That Tab reaches everything, in order, and that the focus can be seen. */
export async function check(page: Page, name: string): Promise<void> {
  // Buttons wait for their island, and islands become alive one after the other.
  await expect(page.locator('button:disabled'), `${name}: every button is alive`).toHaveCount(0);
  const all = [...new Set(await usable(page))];
  const { reached, unseen } = await walk(page, all.length);
  // A field that had the focus from the start is reached last.
  const start = Math.max(reached.indexOf(all[0] ?? ''), 0);
  const inOrder = [...reached.slice(start), ...reached.slice(0, start)];
  expect.soft(inOrder, `${name}: everything is reached, in the order in which it stands there`).toEqual(all);
  expect.soft(unseen, `${name}: the focus can be seen`).toEqual([]);
}
