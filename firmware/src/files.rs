//! Binary records and the report, in files of the host.

use core::ffi::CStr;
use core::fmt::{Arguments, Write as _};
use milligrad::{Element, Elements, ElementsMut, Model};
use milligrad_protocol::Exit;
use semihosting::fs::File;
use semihosting::io::{Read, Write};

/// Bytes that are moved at once. A multiple of every element's size.
const CHUNK: usize = 256;

/// A file of records to read.
pub(crate) struct Records(File);

impl Records {
    /// Opens a file that must be there.
    pub(crate) fn open(name: &'static CStr) -> Result<Self, Exit> {
        Self::open_if_there(name).ok_or(Exit::File).inspect_err(|_| log("can't open", name))
    }

    /// Opens a file that may be missing.
    pub(crate) fn open_if_there(name: &'static CStr) -> Option<Self> {
        File::open(name).ok().map(Self)
    }

    /// Reads a record into all inputs of a network; `false` if the file ended before it.
    pub(crate) fn inputs<M: Model>(&mut self, network: &mut M) -> Result<bool, Exit> {
        for index in 0..M::INPUTS.len() {
            let whole = match network.input_at(index) {
                ElementsMut::I8(elements) => self.elements(elements)?,
                ElementsMut::I16(elements) => self.elements(elements)?,
                ElementsMut::F32(elements) => self.elements(elements)?,
            };
            match (whole, index) {
                (true, _) => {}
                (false, 0) => return Ok(false),
                (false, _) => {
                    defmt::error!("the file ends before input {=usize} of a record", index);
                    return Err(Exit::PartialRecord);
                }
            }
        }
        Ok(true)
    }

    /// Reads elements until `into` is full; `false` if the file ended before the first.
    pub(crate) fn elements<E: Element>(&mut self, into: &mut [E]) -> Result<bool, Exit> {
        let mut buffer = [0; CHUNK];
        let elements = into.len();
        for (i, chunk) in into.chunks_mut(CHUNK / E::BYTES).enumerate() {
            let bytes = &mut buffer[..chunk.len() * E::BYTES];
            match self.fill(bytes)? {
                n if n == bytes.len() => {}
                0 if i == 0 => return Ok(false),
                _ => {
                    defmt::error!(
                        "the file ends within a record of {=usize} elements of {=usize} bytes",
                        elements,
                        E::BYTES
                    );
                    return Err(Exit::PartialRecord);
                }
            }
            for (element, raw) in chunk.iter_mut().zip(bytes.chunks_exact(E::BYTES)) {
                *element = E::from_le(raw);
            }
        }
        Ok(true)
    }

    /// Reads one byte, which must be there.
    pub(crate) fn byte(&mut self) -> Result<u8, Exit> {
        let mut byte = [0];
        match self.fill(&mut byte)? {
            1 => Ok(byte[0]),
            _ => Err(Exit::PartialRecord),
        }
    }

    /// Reads until `into` is full or the file ends; returns the bytes read.
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Exit> {
        let mut filled = 0;
        while filled < into.len() {
            match self.0.read(&mut into[filled..]).map_err(|_| Exit::File)? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }
}

/// A file of results to write.
pub(crate) struct Results(File);

impl Results {
    /// Creates the file, or empties it.
    pub(crate) fn create(name: &'static CStr) -> Result<Self, Exit> {
        File::create(name).map(Self).map_err(|_| Exit::File).inspect_err(|_| log("can't create", name))
    }

    /// Writes bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Exit> {
        self.0.write_all(bytes).map_err(|_| Exit::File)
    }

    /// Writes all outputs of a network as a record.
    pub(crate) fn outputs<M: Model>(&mut self, network: &M) -> Result<(), Exit> {
        (0..M::OUTPUTS.len()).try_for_each(|index| match network.output_at(index) {
            Elements::I8(elements) => self.elements(elements),
            Elements::I16(elements) => self.elements(elements),
            Elements::F32(elements) => self.elements(elements),
        })
    }

    /// Writes elements, little-endian.
    pub(crate) fn elements<E: Element>(&mut self, elements: &[E]) -> Result<(), Exit> {
        let mut buffer = [0; CHUNK];
        elements.chunks(CHUNK / E::BYTES).try_for_each(|chunk| {
            let bytes = &mut buffer[..chunk.len() * E::BYTES];
            for (raw, element) in bytes.chunks_exact_mut(E::BYTES).zip(chunk) {
                element.to_le(raw);
            }
            self.bytes(bytes)
        })
    }

    /// Writes a line of the report.
    pub(crate) fn line(&mut self, key: &str, value: Arguments<'_>) -> Result<(), Exit> {
        let mut line = heapless::String::<96>::new();
        writeln!(line, "{key} {value}").map_err(|_| Exit::File)?;
        self.bytes(line.as_bytes())
    }
}

fn log(what: &str, name: &CStr) {
    defmt::error!("{=str} {=str}", what, name.to_str().unwrap_or("?"));
}
