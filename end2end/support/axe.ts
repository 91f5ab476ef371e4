import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** The program that searches the page is a string: the page's own policy would not run it (`bypassCSP`). */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds wrong with a page. */
export async function faults(page: Page): Promise<string[]> {
  // A change of looks is faded in, and half-way a button's new text stands on its old colour: every fade ends here.
  await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
  const axe = new AxeBuilder({ page }).withTags(TAGS).options({ rules: { 'target-size': { enabled: true } } });
  // Pages here have no frames, which this mode would not search.
  const { violations, passes } = await axe.setLegacyMode(true).analyze();
  expect(passes.length, 'rules that found something to judge').toBeGreaterThan(15);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} (${node.failureSummary?.split('\n')[1]?.trim()})`));
}

/** How a page may be looked at. */
export const LOOKS = {
  light: { colorScheme: 'light', forcedColors: 'none' },
  dark: { colorScheme: 'dark', forcedColors: 'none' },
  forced: { colorScheme: 'light', forcedColors: 'active' },
} as const;
