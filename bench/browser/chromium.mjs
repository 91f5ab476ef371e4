// Chromium, started by the playwright of the browser tests.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../end2end/package.json', import.meta.url));
const { chromium } = require('@playwright/test');

// Runs `use` with a browser that has an empty profile.
export async function withChromium(use) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

// Opens /login and waits until the form accepts input: its button is disabled before.
export async function openLogin(page, origin) {
  await page.goto(`${origin}/login`);
  await page.locator('form [type=submit]:enabled').waitFor();
}
