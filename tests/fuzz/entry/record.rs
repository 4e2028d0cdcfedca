//! Is every stored byte either refused or understood for good? The first byte says as what the rest
//! is read: the key or the row of a kind, a batch, a block of a checkpoint.

use wayfare_store::{Form, RowKind};

pub(super) fn read(bytes: &[u8]) {
    let Some((choice, stored)) = bytes.split_first() else {
        return;
    };
    let form = form(*choice);
    let Ok(written) = form.rewritten(stored) else {
        return;
    };
    let again = form.rewritten(&written);
    let again = again.unwrap_or_else(|error| panic!("{form:?} does not read back: {error}"));
    assert_eq!(
        again, written,
        "{form:?} says something else when read back"
    );
    if let Form::Key(_) = form {
        // Keys are compared as bytes, so there is one way to write each.
        assert_eq!(written, stored, "{form:?} can be written in two ways");
    }
}

/// The form that a byte chooses.
fn form(choice: u8) -> Form {
    let forms = [Form::Batch, Form::Checkpoint]
        .into_iter()
        .chain(RowKind::ALL.map(Form::Row))
        .chain(RowKind::ALL.map(Form::Key));
    let forms: Vec<Form> = forms.collect();
    let place = usize::from(choice) % forms.len();
    *forms.get(place).expect("a remainder is below its divisor")
}
