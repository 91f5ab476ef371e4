-- Skeletons ignore a dot above an i since then. Those with such a dot (U+0307) are computed again at the next start.
UPDATE users SET skeleton = '' WHERE skeleton LIKE '%̇%' AND deleted_at IS NULL;
