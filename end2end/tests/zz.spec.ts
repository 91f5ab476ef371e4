import { Client } from '../support/client';
import { expect, test } from '../support/test';
test('console', async ({ page }) => { await page.goto('/login'); await page.evaluate(() => console.error('boo')); });
test('status', async ({ page }) => { await page.goto('/nothing'); });
test('thrown', async ({ page }) => { await page.goto('/login'); await page.evaluate(() => { setTimeout(() => { throw new Error('boo'); }); }); await page.waitForTimeout(100); });
test('origin', async ({ page }) => { await page.goto('/login'); await page.goto('http://127.0.0.1:9/').catch(() => {}); });
test('visit', async ({ visit }) => { const p = await visit(); await p.goto('/nothing'); });
test('panic', async ({ server }) => { server.log += 'x panicked y\n'; });
