//! How do waits for a time, and times themselves, become what can be computed?

use super::{Compiler, place};
use crate::calendar::{TimeOfDay, Weekdays, Zone};
use crate::cron::Cron;
use crate::definition::{self, Text};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::duration::DAY_US;
use crate::expression::Names;
use crate::graph::{Block, UntilDate, UntilTime, WaitZone};

impl Compiler<'_> {
    pub(super) fn until_time(
        &mut self,
        until: &definition::UntilTime,
        (then, span): (Option<&Text>, Span),
        names: &Names,
    ) -> Option<Block> {
        let time = self.time_of_day(&until.time);
        let days = until
            .days
            .as_ref()
            .map_or(Some(Weekdays::ALL), |days| self.weekdays(days));
        let grace = until.grace.as_ref();
        let grace_us = grace.map_or(Some(0), |grace| self.duration(grace, DAY_US));
        let zone = self.wait_zone(until, names);
        let then = self.needed(then, span);
        Some(Block::UntilTime(Box::new(UntilTime {
            time: time?,
            days: days?,
            grace_us: grace_us?,
            zone: zone?,
            then: then?,
        })))
    }

    /// A zone's name, or an expression that gives one and what stands in where it does not.
    fn wait_zone(&mut self, until: &definition::UntilTime, names: &Names) -> Option<WaitZone> {
        let default = until.zone_default.as_ref().map(|text| self.zone(text));
        let Some(zone) = &until.zone else {
            let message = "a time of day is told in a zone";
            let problem = Diagnostic::new(Code::MissingKey, until.span, message);
            self.problems.push(problem.hint(
                "add `zone: Europe/Berlin`, or `zone: profile.timezone` with `zone_default:`",
            ));
            return None;
        };
        if let Some(fixed) = Zone::find(&zone.value) {
            return Some(WaitZone::Fixed(fixed));
        }
        let is_name = zone.value.contains('/') || !zone.value.contains('.');
        if is_name {
            return self.zone(zone).map(WaitZone::Fixed);
        }
        let name = self.expression(zone, names);
        let Some(default) = default else {
            let message = "not everybody has a zone";
            let problem = Diagnostic::new(Code::MissingKey, zone.span, message);
            self.problems
                .push(problem.hint("add `zone_default:` for those whose zone is not known"));
            return None;
        };
        Some(WaitZone::Of {
            name: name?,
            default: default?,
        })
    }

    pub(super) fn until_date(
        &mut self,
        until: &definition::UntilDate,
        (then, span): (Option<&Text>, Span),
        names: &Names,
    ) -> Option<Block> {
        let date = self.expression(&until.date, names);
        let offset_us = until.offset.as_ref().map_or(Some(0), |it| self.offset(it));
        let missing = if let Some(missing) = &until.missing {
            self.successor(missing)
        } else {
            let message = "not everybody has this date";
            let problem = Diagnostic::new(Code::NoMissing, until.span, message);
            self.problems
                .push(problem.hint("add `missing:` with the block for those without one"));
            None
        };
        let then = self.needed(then, span);
        Some(Block::UntilDate(Box::new(UntilDate {
            date: date?,
            offset_us: offset_us?,
            missing: missing?,
            then: then?,
        })))
    }

    fn time_of_day(&mut self, text: &Text) -> Option<TimeOfDay> {
        match text.value.parse::<TimeOfDay>() {
            Ok(time) => Some(time),
            Err(error) => {
                let problem = Diagnostic::new(Code::InvalidTime, text.span, error.to_string());
                self.problems.push(problem);
                None
            }
        }
    }

    fn weekdays(&mut self, days: &definition::Days) -> Option<Weekdays> {
        let errors = match Weekdays::parse(days.items.iter().map(|day| day.value.as_str())) {
            Ok(days) => return Some(days),
            Err(errors) => errors,
        };
        for (place, error) in errors {
            let span = days.items.get(place).map_or(days.span, |day| day.span);
            let problem = Diagnostic::new(Code::InvalidTime, span, error.to_string());
            self.problems.push(problem);
        }
        None
    }

    pub(super) fn zone(&mut self, text: &Text) -> Option<Zone> {
        let zone = Zone::find(&text.value);
        if zone.is_none() {
            let message = format!("no time zone is called `{}`", text.value);
            let hint = Zone::nearest(&text.value).map_or_else(
                || "write an IANA name such as `Europe/Berlin`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.problems
                .push(Diagnostic::new(Code::InvalidTime, text.span, message).hint(hint));
        }
        zone
    }

    pub(super) fn cron(&mut self, text: &Text) -> Option<Cron> {
        match Cron::parse(&text.value) {
            Ok(cron) => Some(cron),
            Err(error) => {
                let span = place::within(self.source, text, error.span);
                self.problems
                    .push(Diagnostic::new(Code::InvalidTime, span, error.message).hint(error.hint));
                None
            }
        }
    }
}
