import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/**
 * Tags of the rules that are checked. Pages need `bypassCSP`, because their own policy would not run the code of axe.
 */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Returns the faults that axe finds in a page. */
export async function faults(page: Page): Promise<string[]> {
  // Ends all transitions, because half-way a button's new text is on its old colour.
  await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
  const axe = new AxeBuilder({ page }).withTags(TAGS).options({ rules: { 'target-size': { enabled: true } } });
  // Legacy mode does not search frames, and these pages have none.
  const { violations, passes } = await axe.setLegacyMode(true).analyze();
  expect(passes.length, 'rules that found something to judge').toBeGreaterThan(15);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} (${node.failureSummary?.split('\n')[1]?.trim()})`));
}

/** The combinations of colour settings in which each page is checked. */
export const LOOKS = {
  light: { colorScheme: 'light', forcedColors: 'none' },
  dark: { colorScheme: 'dark', forcedColors: 'none' },
  forced: { colorScheme: 'light', forcedColors: 'active' },
} as const;
