import { KeysPage } from '../pages/keys';
import { LoginPage } from '../pages/login';
import { expect, test } from '../support/test';

test.beforeEach(({ watch }) => {
  // The first proof is refused with the nonce that it needs.
  watch.allowStatus(401);
});

test('a key is replaced, and a version revoked', async ({ page, server }) => {
  await new LoginPage(page).signIn(await server.person());
  const keys = new KeysPage(page);
  await keys.open();
  await expect(keys.cards).toHaveCount(1);
  await expect(keys.card('Version 1')).toContainText('in use');

  await test.step('nothing happens without an answer to the question', async () => {
    await keys.rotate.click();
    await expect(page.getByRole('dialog')).toContainText('Version 2 replaces it.');
    await page.getByRole('button', { name: 'Keep current key' }).click();
    await expect(keys.rotate).toBeEnabled();
    await keys.open();
    await expect(keys.cards).toHaveCount(1);
  });

  await keys.agree(keys.rotate, 'Create key');
  await expect(keys.cards).toHaveCount(2);
  await expect(keys.card('Version 2')).toContainText('in use');
  await expect(keys.card('Version 1')).toContainText('valid for another');

  await keys.agree(page.getByRole('button', { name: 'Revoke version 1' }), 'Revoke version');
  await expect(keys.card('Version 1')).toContainText('revoked just now');
  await expect(page.getByRole('button', { name: 'Revoke version 1' })).toHaveCount(0);

  await keys.agree(page.getByRole('button', { name: 'Revoke version 2' }), 'Revoke version');
  await expect(keys.card('Version 2')).toContainText('revoked');
  await expect(keys.card('Version 3')).toContainText('in use');

  await page.goto('/dashboard/activity');
  await expect(page.locator('li.event').first()).toContainText(/key/i);
});

test('keys are everybody\'s own', async ({ page, visit, server }) => {
  await new LoginPage(page).signIn(await server.person());
  const ada = new KeysPage(page);
  await ada.open();
  await ada.agree(ada.rotate, 'Create key');
  const other = await visit();
  await new LoginPage(other).signIn(await server.person());
  const bob = new KeysPage(other);
  await bob.open();
  await expect(bob.cards).toHaveCount(1);
});
