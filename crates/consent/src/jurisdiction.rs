//! Which place's rules hold for somebody? A place that is not known is the strictest one.

/// In place of a part's code: nobody knows which part it is.
const SOMEWHERE: &str = "?";

/// A country such as `DE`, or a part of one such as `US-CA`; unknown, without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jurisdiction(Option<String>);

impl Jurisdiction {
    /// Nobody knows.
    pub const UNKNOWN: Self = Self(None);

    /// The place of this name: an ISO 3166 code such as `DE` or `US-CA`, in any case; `UK` is `GB`.
    /// Anything else is unknown, such as `Germany`, `DEU` or `EU`; what is no code behind a country's is
    /// a part of it that nobody knows.
    #[must_use]
    pub fn named(text: &str) -> Self {
        let place = text.trim().to_ascii_uppercase();
        let (country, part) = match place.split_once('-') {
            Some((country, part)) => (country, Some(part)),
            None => (place.as_str(), None),
        };
        let country = if country == "UK" { "GB" } else { country };
        let is_letters = country.bytes().all(|it| it.is_ascii_alphabetic());
        if country.len() != 2 || !is_letters || country == "EU" {
            return Self::UNKNOWN;
        }
        let is_code = |part: &str| {
            let is_short = (1..=3).contains(&part.len());
            is_short && part.bytes().all(|it| it.is_ascii_alphanumeric())
        };
        Self(Some(match part {
            None => country.to_owned(),
            Some(part) if is_code(part) => format!("{country}-{part}"),
            Some(_) => format!("{country}-{SOMEWHERE}"),
        }))
    }

    /// Whether a place that is configured may be where somebody is of whom the country is known and not
    /// which part of it.
    pub(crate) fn may_be(&self, place: &str) -> bool {
        let somewhere = self.0.as_deref().and_then(|it| it.split_once('-'));
        somewhere.is_some_and(|(country, part)| {
            let of = place.split_once('-');
            part == SOMEWHERE && of.is_some_and(|(of, _)| of == country)
        })
    }

    /// The place that a profile's `jurisdiction` names, else its `country` with its `region` (with
    /// or without the country before it), else the configured default.
    #[must_use]
    pub fn of(
        jurisdiction: Option<&str>,
        country: Option<&str>,
        region: Option<&str>,
        default: &Self,
    ) -> Self {
        let written = |text: Option<&str>| {
            let text = text.map(|text| text.trim().to_ascii_uppercase());
            text.filter(|text| !text.is_empty())
        };
        match (written(jurisdiction), written(country), written(region)) {
            (Some(place), _, _) => Self::named(&place),
            (None, Some(country), Some(region)) if region.starts_with(&format!("{country}-")) => {
                Self::named(&region)
            }
            (None, Some(country), Some(region)) => Self::named(&format!("{country}-{region}")),
            (None, Some(country), None) => Self::named(&country),
            (None, None, _) => default.clone(),
        }
    }

    /// The names its rules are looked up by: itself, then the country it is a part of.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let country = self.0.as_deref().and_then(|place| place.split_once('-'));
        let country = country.map(|(country, _)| country);
        self.0.as_deref().into_iter().chain(country)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_a_profile_gives_is_the_place() {
        let default = Jurisdiction::named("FR");
        let check = |fields: [Option<&str>; 3], expected: &[&str]| {
            let [jurisdiction, country, region] = fields;
            let place = Jurisdiction::of(jurisdiction, country, region, &default);
            assert_eq!(place.names().collect::<Vec<_>>(), expected, "{fields:?}");
        };
        check([Some("de"), Some("US"), None], &["DE"]);
        check([None, Some("US"), Some("ca")], &["US-CA", "US"]);
        check([None, Some("US"), Some("US-CA")], &["US-CA", "US"]);
        check([None, Some("US"), None], &["US"]);
        check([None, None, Some("CA")], &["FR"]);
        check([Some(""), None, None], &["FR"]);
        check([Some("unknown"), Some("US"), None], &[]);
        check([None, Some("uk"), None], &["GB"]);
        check([None, Some("US"), Some("California")], &["US-?", "US"]);
        for nowhere in ["Germany", "DEU", "EU", "D3", "", "-CA"] {
            assert_eq!(
                Jurisdiction::named(nowhere),
                Jurisdiction::UNKNOWN,
                "{nowhere}"
            );
        }
    }
}
