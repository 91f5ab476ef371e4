//! Converts times to the reader's time zone and language.
//!
//! The server renders UTC. Only differing texts are replaced, in boxes of the same size: the exact time on hover, the
//! time of day, and the days of a history.

use crate::browser::clock::{DAY, TimeFormat, write};
use js_sys::Date;
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::Element;

pub(crate) fn localise() {
    for time in all("time[datetime]") {
        if let Some(at) = moment(&time) {
            let _ = time.set_attribute("title", &write(at, TimeFormat::Exact));
            if time.class_name() == "clock" {
                time.set_text_content(Some(&write(at, TimeFormat::Clock)));
            }
        }
    }
    if let Some(days) = all(".days").into_iter().next() {
        regroup(&days);
    }
}

/// Sorts the entries into the reader's days, which end at another time than the server's.
fn regroup(days: &Element) {
    let mut last = String::new();
    let mut open: Option<Element> = None;
    for entry in all(".days .event") {
        let Some(at) = entry.query_selector("time").ok().flatten().and_then(|time| moment(&time)) else { return };
        let day = name(at);
        if day != last
            && let Some(section) = section(days, &day)
        {
            last = day;
            open = Some(section);
        }
        if let Some(list) = open.as_ref().and_then(Element::last_element_child) {
            let _ = list.append_child(&entry);
        }
    }
    for section in all(".days > .day") {
        if section.query_selector(".event").ok().flatten().is_none() {
            section.remove();
        }
    }
}

/// Appends an empty day.
fn section(days: &Element, day: &str) -> Option<Element> {
    let [section, heading, list] = ["section", "h2", "ul"].map(|name| document().create_element(name));
    let (section, heading, list) = (section.ok()?, heading.ok()?, list.ok()?);
    section.set_class_name("day");
    heading.set_text_content(Some(day));
    list.set_class_name("events");
    section.append_child(&heading).ok()?;
    section.append_child(&list).ok()?;
    days.append_child(&section).ok()?;
    Some(section)
}

fn name(at: f64) -> String {
    let day = write(at, TimeFormat::Day);
    let now = Date::now();
    if day == write(now, TimeFormat::Day) {
        "Today".to_owned()
    } else if day == write(now - DAY, TimeFormat::Day) {
        "Yesterday".to_owned()
    } else {
        day
    }
}

fn moment(time: &Element) -> Option<f64> {
    let at = Date::parse(&time.get_attribute("datetime")?);
    at.is_finite().then_some(at)
}

fn all(selector: &str) -> Vec<Element> {
    let Ok(list) = document().query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|index| list.item(index)).map(JsCast::unchecked_into).collect()
}
