//! Components of several pages. The server renders them; the browser gets no code for them.

#![expect(unreachable_pub, reason = "leptos makes the function of a component public")]

mod activity;
mod ban;
mod card_title;
mod consent_field;
mod device;
mod frame;
mod hours;
mod hydration;
mod insecure;
mod mark;
mod more;
mod no_code;
mod options;
mod passkey_list;
mod profile_form;
mod revenue;
mod sealed_note;
mod second_factor;
mod site_state;
mod stuck;
mod tied;
mod when;

pub use activity::ActivityLine;
pub use ban::{BanCard, Countdown, named};
pub(crate) use card_title::CardTitle;
pub use consent_field::ConsentField;
pub use device::{DeviceFacts, remedy};
pub(crate) use frame::Frame;
pub(crate) use hours::HourBars;
pub use hours::HoursChart;
pub(crate) use hydration::Hydration;
pub(crate) use insecure::Insecure;
pub(crate) use mark::{DRAWING, Mark};
pub use more::More;
pub(crate) use no_code::NoCode;
pub use options::{Options, owned};
pub use passkey_list::PasskeyList;
pub use profile_form::{DisplayNameField, EmailField, ProfileForm};
pub use revenue::RevenueChart;
pub(crate) use sealed_note::SealedNote;
pub use second_factor::SecondFactor;
pub use site_state::SiteStatePanel;
pub(crate) use stuck::Stuck;
pub use tied::Tied;
pub(crate) use when::Clock;
pub use when::{Ends, When};
