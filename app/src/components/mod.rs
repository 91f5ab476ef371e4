//! Components of several pages. The server renders them; the browser gets no code for them.

mod activity;
mod ban;
mod card_title;
mod device;
mod frame;
mod hours;
mod hydration;
mod insecure;
mod mark;
mod more;
mod no_code;
mod options;
mod revenue;
mod sealed_note;
mod site_state;
mod stuck;
mod tied;
mod when;

pub use activity::ActivityLine;
pub use ban::{BanCard, Countdown, named};
pub use card_title::CardTitle;
pub use device::{DeviceFacts, remedy};
pub use frame::{Frame, Here};
pub use hours::{HourBars, HoursChart};
pub use hydration::Hydration;
pub use insecure::Insecure;
pub use mark::{DRAWING, Mark};
pub use more::More;
pub use no_code::NoCode;
pub use options::{Options, owned};
pub use revenue::RevenueChart;
pub use sealed_note::SealedNote;
pub use site_state::SiteStatePanel;
pub use stuck::Stuck;
pub use tied::Tied;
pub use when::{Clock, Ends, When};
