//! How does a batch stand on disk?
//!
//! ```text
//! offset  bytes
//!      0      4  payload length, little-endian, at least 1
//!      4      4  CRC-32C of everything after it up to the payload's end
//!      8      8  sequence number, little-endian
//!     16      1  format version
//!     17      …  payload
//! ```

use super::LogError;

/// Bytes of one payload: a frame always fits into an empty segment.
pub const FRAME_PAYLOAD_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of a frame before its payload.
pub(crate) const FRAME_HEADER_BYTES: usize = 17;
/// The format this code writes.
const VERSION: u8 = 1;

/// What stands at some place in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// A whole frame, and how many bytes it takes.
    Frame {
        sequence: u64,
        payload: &'a [u8],
        length: usize,
    },
    /// Nothing was written here.
    Blank,
    /// Something that is no frame.
    Broken(&'static str),
}

pub(crate) fn encode(sequence: u64, payload: &[u8]) -> Result<Vec<u8>, LogError> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|_| payload.len() <= FRAME_PAYLOAD_BYTES_MAX && !payload.is_empty())
        .ok_or(LogError::TooLarge {
            bytes: payload.len(),
        })?;
    let mut frame = Vec::with_capacity(FRAME_HEADER_BYTES + payload.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(&sequence.to_le_bytes());
    frame.push(VERSION);
    frame.extend_from_slice(payload);
    let (head, body) = frame.split_at_mut(8);
    let (_, sum) = head.split_at_mut(4);
    sum.copy_from_slice(&crc32c::crc32c(body).to_le_bytes());
    Ok(frame)
}

/// Reads what stands at the start of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Found<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        let blank = bytes.iter().all(|byte| *byte == 0);
        return if blank {
            Found::Blank
        } else {
            Found::Broken("the file ends inside a frame")
        };
    };
    if header.iter().all(|byte| *byte == 0) {
        return Found::Blank;
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3, s @ .., version] = *header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length == 0 || length > FRAME_PAYLOAD_BYTES_MAX {
        return Found::Broken("the length of the frame is impossible");
    }
    let Some(payload) = rest.get(..length) else {
        return Found::Broken("the file ends inside a frame");
    };
    let body = bytes
        .get(8..FRAME_HEADER_BYTES + length)
        .unwrap_or_default();
    if crc32c::crc32c(body) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Found::Broken("the checksum of the frame is wrong");
    }
    if version != VERSION {
        return Found::Broken("the frame was written by another version of wayfare");
    }
    Found::Frame {
        sequence: u64::from_le_bytes(s),
        payload,
        length: FRAME_HEADER_BYTES + length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_reads_back_and_a_changed_byte_breaks_it() {
        let frame = encode(7, b"payload").unwrap();
        let length = frame.len();
        let whole = Found::Frame {
            sequence: 7,
            payload: b"payload",
            length,
        };
        assert_eq!(decode(&frame), whole);
        for place in 0..length {
            let mut changed = frame.clone();
            changed[place] ^= 0x10;
            assert!(matches!(decode(&changed), Found::Broken(_)), "byte {place}");
        }
    }

    #[test]
    fn an_empty_or_outsized_payload_is_refused() {
        assert!(encode(1, b"").is_err());
        assert!(encode(1, &vec![0; FRAME_PAYLOAD_BYTES_MAX + 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes: Vec<u8>) {
            let found = decode(&bytes);
            let is_frame = matches!(found, Found::Frame { .. });
            prop_assert!(!is_frame);
        }
    }
}
