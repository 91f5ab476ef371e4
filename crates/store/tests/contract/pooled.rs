//! Cases that use prepared statements, transactions and migrations most, without anything that belongs to a session.
//! `soak/nodes.py --pooler` runs the whole server behind `PgBouncer`.

use crate::fixture::{Engine, run};
use crate::{processes, races};

#[tokio::test(flavor = "multi_thread")]
async fn stores_start_at_the_same_time() {
    run(Engine::Pooled, processes::start_at_the_same_time).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_see_each_others_sessions_and_users() {
    run(Engine::Pooled, processes::see_each_others_sessions_and_users).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_write_at_the_same_time() {
    run(Engine::Pooled, processes::write_at_the_same_time).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tasks_rotate_one_token() {
    run(Engine::Pooled, races::fifty_tasks_rotate_one_token).await;
}
