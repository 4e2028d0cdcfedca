//! Does it take memory to judge? Where the records relied on need not be kept, none.

use wayfare_consent::{Choice, Config, Question, Reason, Record, Said, choice, evaluate, verdict};
use wayfare_event::{ConsentAction, Identifier, Timestamp};

fn said(action: ConsentAction, at_us: i64) -> Record {
    let at = Timestamp::from_micros(at_us);
    Record {
        channel: Some("email".into()),
        ..Record::new("marketing", action, at, &format!("r{at_us}"))
    }
}

#[test]
fn a_choice_and_an_answer_take_none_and_evidence_takes_its_own() {
    let config = Config::default();
    let address = Identifier::new("email", "ada@example.com");
    let actions = [ConsentAction::Accept, ConsentAction::Decline];
    for count in [0, 1, 2, 9, 10] {
        let told = (1..=count).zip(actions.into_iter().cycle());
        let records: Vec<Record> = told.map(|(at_us, action)| said(action, at_us)).collect();
        let subject = &address;
        let all = || records.iter().map(|record| Said { subject, record });
        let question = Question::new("marketing", Some(&address), Timestamp::from_micros(100));
        let (mut chosen, mut found) = (None, None);
        let taken = allocation_counter::measure(|| {
            chosen = Some(choice(&config, &question, all(), |_, _| None));
            found = Some(evaluate(&config, &question, all(), |_, _| None));
        });
        assert_eq!(taken.count_total, 0, "{count} records");
        let expected = match count {
            0 => (Choice::Unknown, (false, Reason::Silent)),
            1 | 9 => (Choice::Accept, (true, Reason::Granted)),
            _ => (Choice::Decline, (false, Reason::Declined)),
        };
        assert_eq!(
            (chosen.unwrap(), found.unwrap()),
            expected,
            "{count} records"
        );
        let whole = verdict(&config, &question, all(), |_, _| None);
        assert_eq!((whole.allowed, whole.reason), found.unwrap());
        assert_eq!(whole.records.is_empty(), count == 0);
    }
}
