//! Every limit of the event model, with its unit. Reaching one is a recorded refusal, never a clamp.

/// Bytes of one event as it arrived (SP 10).
pub const EVENT_BYTES_MAX: usize = 32 * 1024;
/// Nesting of JSON lists and objects in an event (SP 10).
pub const JSON_DEPTH_MAX: usize = 32;
/// Bytes of a `messageId`.
pub const MESSAGE_ID_BYTES_MAX: usize = 100;
/// Bytes of an event's or page's name.
pub const NAME_BYTES_MAX: usize = 200;
/// Bytes of a `groupId`.
pub const GROUP_ID_BYTES_MAX: usize = 500;
/// Bytes of an identifier's value outside the address namespaces.
pub const IDENTIFIER_BYTES_MAX: usize = 1_024;
/// Bytes of an e-mail address or phone number.
pub const ADDRESS_BYTES_MAX: usize = 255;
/// Traits in one identify or group event.
pub const TRAITS_MAX: usize = 300;
/// Bytes of one trait's value as JSON text (SP 10).
pub const TRAIT_BYTES_MAX: usize = 8 * 1024;
