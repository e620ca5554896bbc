//! Bodies: read whole and unpacked, within limits of size and time.

use std::io::{self, Read};
use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_ENCODING;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::Semaphore;

use super::answer::Rejection;

/// The largest size of a body in bytes, as it is sent and unpacked.
const SENT: usize = 5 << 20;
const UNPACKED: usize = 20 << 20;

/// The longest time that a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The most bodies that are unpacked at a time, so that a few hostile ones cannot take all memory.
static UNPACKING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(8));

/// A body, unpacked.
#[derive(Debug)]
pub struct Unpacked(pub Vec<u8>);

impl<S: Sync> FromRequest<S> for Unpacked {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        let encodings = encodings(&request)?;
        let sent = read(request.into_body()).await?;
        if encodings.is_empty() {
            return Ok(Self(sent));
        }
        let _turn = UNPACKING.acquire().await;
        let unpacking = tokio::task::spawn_blocking(move || {
            // Encodings are listed in the order in which they were applied.
            encodings.iter().rev().try_fold(sent, |body, encoding| encoding.unpack(&body))
        });
        let unpacked =
            unpacking.await.map_err(|_| Rejection::Malformed("the body cannot be unpacked".into()))?;
        unpacked.map(Self).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => {
                Rejection::TooLarge(format!("the body is larger than {UNPACKED} bytes when it is unpacked"))
            }
            _ => Rejection::Malformed(format!("the body cannot be unpacked: {error}")),
        })
    }
}

async fn read(body: Body) -> Result<Vec<u8>, Rejection> {
    let collected = tokio::time::timeout(TIMEOUT, Limited::new(body, SENT).collect()).await;
    match collected.map_err(|_| Rejection::TooSlow)? {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Rejection::TooLarge(format!("the body is larger than {SENT} bytes")))
        }
        Err(_) => Err(Rejection::Malformed("the body ended too early".into())),
    }
}

#[derive(Clone, Copy, Debug)]
enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

fn encodings(request: &Request) -> Result<Vec<Encoding>, Rejection> {
    let mut encodings = Vec::new();
    for header in request.headers().get_all(CONTENT_ENCODING) {
        let names = header.to_str().map_err(|_| Rejection::EncodingUnknown(format!("{header:?}")))?;
        for name in names.split(',').map(str::trim) {
            match name.to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => encodings.push(Encoding::Gzip),
                "deflate" => encodings.push(Encoding::Deflate),
                "br" => encodings.push(Encoding::Brotli),
                "zstd" => encodings.push(Encoding::Zstd),
                _ => return Err(Rejection::EncodingUnknown(name.to_owned())),
            }
        }
    }
    if encodings.len() > 2 {
        return Err(Rejection::Malformed("the body is packed more than twice".to_owned()));
    }
    Ok(encodings)
}

impl Encoding {
    fn unpack(self, packed: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => read_all(MultiGzDecoder::new(packed)),
            // Deflate should come in a zlib wrapper, but some clients send it bare.
            Self::Deflate => match read_all(ZlibDecoder::new(packed)) {
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    read_all(DeflateDecoder::new(packed))
                }
                unpacked => unpacked,
            },
            Self::Brotli => read_all(brotli_decompressor::Decompressor::new(packed, 4096)),
            Self::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(packed).map_err(io::Error::other)?;
                read_all(decoder)
            }
        }
    }
}

fn read_all(packed: impl Read) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    // One more byte shows that there is more.
    packed.take((UNPACKED as u64).saturating_add(1)).read_to_end(&mut unpacked)?;
    if unpacked.len() > UNPACKED {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(unpacked)
}
