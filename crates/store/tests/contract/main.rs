//! The contract of every engine. SQLite is always tested, and PostgreSQL if `TEST_POSTGRES_URL` names a server (each
//! case in a schema of its own). Under `CI` it must.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod accepted;
mod accounts;
mod actors;
mod address_assignments;
mod allowlist;
mod app_codes;
mod audit;
mod bans;
mod begun;
mod changes;
mod counted;
mod durable;
mod email_proofs;
mod fixture;
mod gates;
mod imports;
mod invitations;
mod keys;
mod ladders;
mod mails;
mod make;
mod oauth;
mod oauth_access;
mod oauth_clients;
mod oauth_documents;
mod passkeys;
mod pooled;
mod postgres_only;
mod processes;
mod profiles;
mod proofs;
mod races;
mod refusals;
mod refused;
mod remembered_devices;
mod resets;
mod rotations;
mod sealed;
mod second_factors;
mod services;
mod sessions;
mod setup;
mod sqlite_only;
mod swept;
mod texts;
mod toll;
mod transfer;
mod upkeep;
mod user_keys;
mod users;
mod vanished;

macro_rules! contract {
    ($($module:ident { $($case:ident),+ $(,)? })+) => {
        mod on_sqlite {
            use crate::fixture::{Engine, run};
            $(mod $module {
                use super::*;
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    run(Engine::Sqlite, crate::$module::$case).await;
                })+
            })+
        }

        mod on_postgres {
            use crate::fixture::{Engine, run};
            $(mod $module {
                use super::*;
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    run(Engine::Postgres, crate::$module::$case).await;
                })+
            })+
        }
    };
}

contract! {
    accounts {
        the_last_administrator_stays,
        two_administrators_cannot_remove_each_other,
        a_change_of_password_keeps_one_session,
        deletion_leaves_an_id_and_nothing_else,
    }
    changes {
        of_each_kind_have_numbers_of_their_own,
    }
    actors {
        that_are_none_any_more_change_nothing,
        can_give_up_their_role,
        leave_no_link_when_they_lose_their_role,
        make_links_that_end_with_their_password,
    }
    imports {
        are_written_as_a_whole_or_not_at_all,
    }
    invitations {
        keep_what_was_given,
        make_one_account_of_fifty_tries,
        that_are_over_make_no_account,
    }
    email_proofs {
        prove_an_address_once,
        prove_only_the_address_they_were_sent_to,
    }
    mails {
        are_queued_only_while_mail_is_on,
        are_claimed_by_one_of_fifty,
        are_given_up_and_tried_again,
        of_one_address_are_limited,
        tell_the_owner_at_an_address_that_is_sure,
        set_a_forgotten_password,
        of_an_administrators_link_are_one_write_with_it,
        end_with_the_address_that_they_went_to,
        go_with_their_account,
    }
    passkeys {
        keep_what_was_given,
        are_added_once_per_challenge_and_id_up_to_the_maximum,
        sign_in_while_they_and_their_account_are_there,
        never_lower_their_counter,
        go_with_their_account,
        finish_a_pending_sign_in_once_and_at_their_host,
        are_needed_beside_the_password_when_their_owner_says_so,
    }
    remembered_devices {
        are_known_by_their_key_until_their_time,
        are_forgotten_with_passwords_factors_and_their_sessions,
        let_nobody_in_who_was_forgotten_meanwhile,
    }
    resets {
        set_a_password_once_and_end_the_sessions,
        are_open_together_until_one_is_used,
        are_void_after_every_change_of_their_account,
        of_a_former_administrator_are_void,
    }
    users {
        is_found_by_key_and_id,
        names_that_differ_in_case_are_taken, of_names_that_look_alike_one_is_added,
        are_listed_by_name,
        none_is_stray_or_like_another,
        a_new_password_ends_sessions_and_forgets_failures,
        a_hash_is_upgraded_only_from_what_it_was,
        disabling_ends_sessions_and_enabling_brings_none_back,
        parameters_of_their_passwords_are_known,
    }
    setup {
        happens_once,
        counts_users_from_anywhere,
        signs_in_and_ends_the_attempt,
        a_taken_name_ends_the_attempt_too,
    }
    sessions {
        keeps_what_was_given,
        ends_only_for_its_owner_and_once,
        others_end_and_the_kept_one_stays,
        are_listed_last_used_first,
        changes_are_published,
        ends_have_an_order_without_a_clock,
        go_when_they_were_over_long_enough,
    }
    rotations {
        moves_on_once,
        notes_the_newest_generation_that_was_shown,
        is_refused_when_anything_else_is_current,
        is_refused_when_the_session_is_over,
        is_refused_when_the_user_is_disabled,
    }
    begun {
        reserves_the_identity_until_it_is_released,
        a_reservation_runs_out,
        a_reservation_of_a_clock_that_was_set_back_holds_nobody,
        a_release_ends_only_its_own_reservation,
        a_ban_closes_and_spends_nothing,
        a_full_table_closes_and_spends_nothing,
        the_same_body_again_is_resent_once_and_then_replayed,
        a_resend_too_late_from_elsewhere_or_altered_is_a_replay,
    }
    refused {
        bans_on_the_first_wrong_password,
        counts_failures_in_a_row,
        twice_counts_once,
        bad_envelopes_ban_at_the_third_within_the_window,
        five_names_are_spray,
        forgiven_names_are_no_spray,
        names_outside_the_window_are_no_spray,
    }
    accepted {
        forgives_the_account_and_nothing_else,
        the_stored_context_of_an_attempt,
        nobody_that_is_gone_or_disabled,
        nobody_whose_password_was_changed_meanwhile,
    }
    ladders {
        climb_a_rung_each_and_step_down_when_quiet,
        are_kept_apart_by_account,
        one_burst_is_one_offence,
        the_strict_preset_bans_for_an_expired_short_key,
        loopback_is_banned_for_a_minute_at_most,
    }
    bans {
        those_in_force_and_those_changed,
        lifting_forgets_ladders_and_strikes,
        by_hand_and_found_again,
        the_record_of_a_client_key,
        after_lifting_a_slip_counts_and_does_not_ban,
        names_that_succeed_weigh_against_those_that_fail,
        a_known_device_fails_for_itself,
        nothing_is_held_against_the_exempt,
    }
    allowlist {
        a_network_is_there_once_until_it_is_taken_off,
        the_list_is_bounded,
    }
    app_codes {
        fifty_tasks_on_two_nodes_use_one_code,
        are_good_for_one_app_one_browser_and_half_a_minute,
        end_with_their_session,
        are_few_of_a_session_and_the_oldest_give_way,
    }
    profiles {
        keep_what_was_set_and_change_one_field_at_a_time,
        have_a_reliable_address_of_their_own,
        fifty_tasks_on_two_nodes_give_one_account_an_address,
        groups_have_one_spelling_and_are_listed_with_their_members,
        changes_of_profiles_and_groups_reach_other_nodes,
        go_with_the_account,
        are_found_by_a_part_of_any_field,
        are_found_in_parts_by_name,
    }
    oauth {
        of_fifty_tasks_on_two_nodes_one_begins_the_session_of_a_grant,
        a_grant_of_an_ended_session_begins_none,
        each_end_of_a_session_makes_its_notice_due,
        fifty_tasks_on_two_nodes_redeem_one_code,
        codes_run_out_and_end_with_their_session,
        unused_codes_of_a_session_are_few,
        fifty_tasks_rotate_one_grant,
        grants_end_with_their_session_their_account_and_by_revocation,
        ends_of_grants_have_numbers_by_which_nodes_follow,
        consents_are_remembered_and_withdrawn_with_what_they_gave,
        a_pushed_request_gives_one_code_of_fifty_tries,
        a_client_is_notified_once_that_a_session_has_ended,
    }
    oauth_clients {
        clients_are_added_changed_and_removed_with_what_they_got,
        fifty_tasks_register_as_many_clients_as_a_token_allows,
        initial_tokens_are_removed,
        a_person_has_one_subject_in_each_sector,
    }
    oauth_access {
        a_withdrawal_deletes_open_codes_of_one_person_for_one_client,
        a_code_relies_on_the_consent_that_is_stored,
        nothing_stays_of_exchanges_and_withdrawals_at_once,
        live_grants_of_a_person_are_listed,
        a_document_is_forbidden_in_advance_until_it_is_enabled,
    }
    oauth_documents {
        documents_are_replaced_and_bounded,
        a_document_that_is_used_or_disabled_makes_no_room,
        a_document_of_another_app_asks_again,
        a_disabled_document_does_not_expire,
        a_document_is_removed_with_what_it_got,
    }
    proofs {
        fifty_tasks_on_two_nodes_use_one_proof,
        are_distinct_and_swept_when_expired,
    }
    refusals {
        are_counted_by_hour_and_trigger,
    }
    user_keys {
        the_first_is_made_with_the_account,
        the_next_takes_over_and_the_one_before_serves_on,
        revoking_erases,
        only_the_next_version_is_taken,
        fifty_rotations_at_once_leave_no_hole_and_one_in_use,
        fifty_rotations_and_revocations_on_two_nodes_leave_one_in_use,
        an_account_without_one_gets_its_first,
        go_with_the_account,
        nobody_rotates_past_a_deletion,
        are_erased_when_they_are_over_and_go_later,
    }
    services {
        are_added_changed_and_removed,
    }
    keys {
        each_follows_the_last_of_its_kind,
        two_nodes_that_start_at_once_have_the_same_key,
        a_schedule_that_is_due_everywhere_makes_one_key,
        a_revoked_key_is_replaced_if_nothing_else_can_be_used,
        one_administrator_remains_after_any_change,
    }
    second_factors {
        a_generator_counts_after_its_first_code,
        fifty_tasks_use_one_code,
        fifty_tasks_use_one_recovery_code,
        a_pending_sign_in_is_tried_five_times_and_finished_once,
        expired_pending_sign_ins_are_swept,
        a_session_is_renewed_while_it_lives,
        proofs_at_the_same_time_lose_no_method,
        a_recovery_code_is_used_up_with_the_session_only,
        a_recovery_code_is_used_up_with_the_fresh_proof_only,
        a_generator_that_waits_goes_with_all_factors,
        proofs_of_a_session_are_counted_before_they_are_checked,
    }
    sealed {
        a_value_is_resealed_only_as_it_was,
        peoples_own_keys_are_among_them,
        nothing_is_written_behind_the_back_of_a_retirement,
    }
    audit {
        newest_first_and_no_more_than_asked_for,
        odd_entries_are_refusals_and_reuse,
        sign_ins_are_counted_by_the_hour,
        a_repeated_entry_is_written_once,
        everybodys_entries_by_filter_and_page,
        notices_are_unread_on_each_device_until_they_are_dismissed_there,
    }
    swept {
        only_expired_rows_are_swept,
        more_than_a_chunk_goes_in_one_call,
        the_audit_trail_goes_by_age,
        bans_go_when_they_were_over_long_enough,
        bans_of_many_clients_go_in_one_call,
    }
    races {
        fifty_tasks_burn_one_short_key,
        fifty_tasks_rotate_one_token,
        a_failed_write_in_the_group_undoes_no_rotation,
        two_hundred_guesses_are_one_guess,
        a_busy_process_shuts_no_other_out,
        fifty_floods_are_one_ban_at_the_first_step,
        no_strike_is_lost,
        no_rung_is_lost,
        no_failure_is_lost,
        nobody_signs_in_past_a_disabling,
        strikes_and_lifts_wait_for_each_other,
    }
    processes {
        see_each_others_reservations_and_bans,
        see_each_others_sessions_and_users,
        race_for_one_short_key,
        write_at_the_same_time,
        start_at_the_same_time,
    }
    durable {
        a_failing_write_leaves_the_others_alone,
        a_caller_that_goes_away_changes_nothing,
        a_closed_store_says_so,
        closing_waits_for_what_is_under_way,
        answers_a_ping,
    }
    upkeep {
        knows_its_newest_row_and_who_signed_in,
        is_copied_while_others_write,
    }
    counted {
        are_fetched_by_the_holder_of_the_offer,
        are_listed_in_turns_while_no_block_has_them,
    }
    gates {
        count_requests_for_nothing_across_restarts,
        give_no_request_for_nothing_twice_at_once,
        list_payments_that_came_too_late,
        are_known_while_they_say_so,
    }
    address_assignments {
        are_for_one_offer_until_they_end,
        are_assigned_again_in_the_order_in_which_they_ended,
        fifty_at_once_get_an_address_each,
        remember_how_far_they_were_searched,
    }
    toll {
        a_payment_becomes_one_token_however_often_it_is_shown,
        fifty_at_once_make_one_token,
        a_key_of_an_output_counts_once,
        payments_for_one_offer_add_up,
        more_money_waits_for_more_blocks,
        a_counted_payment_is_answered_again_without_a_node,
        a_payment_that_comes_too_late_counts_for_nothing,
        tokens_sleep_while_a_payment_is_gone,
        nothing_is_used_past_the_quota,
        an_administrator_takes_a_token_back,
        days_are_summed_up_by_route,
    }
    texts {
        come_back_as_they_went_in,
        nul_is_replaced_everywhere,
    }
}
