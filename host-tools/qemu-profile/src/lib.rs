//! A QEMU plugin that counts how often every block of code runs, in marked sections.
//!
//! ```text
//! qemu-system-... -plugin libmilligrad_qemu_profile.so,out=FILE,mark=START..END,table=ADDRESS
//! ```
//!
//! - `out`: the file that the counts go to when QEMU ends; `milligrad-board` reads it.
//! - `mark`, `table`: where a function lies that stores to `table + section`, in hexadecimal. From that store on
//!   counts belong to that section, one of 256; before the first it is section 0.
//!
//! The file has one line for each block and section:
//!
//! ```text
//! section address count taken opcode,opcode,...
//! ```
//!
//! `count` is how often the block ran, `taken` how often it was left other than to the next address; numbers are
//! decimal, the address and the opcodes hexadecimal, an opcode's first half-word first.
//!
//! Counts are exact without `-icount`. With it, QEMU restarts blocks that touch devices, and counts those twice.

mod count;
mod isa;
mod sys;

use count::{Block, Counts};
use isa::Isa;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ops::Range;
use std::sync::{Mutex, OnceLock};

/// The version of the plugin interface that this is written for: that of QEMU 7.2, which later ones understand.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static qemu_plugin_version: c_int = 1;

static ARGUMENTS: OnceLock<Arguments> = OnceLock::new();
static ISA: OnceLock<Isa> = OnceLock::new();
static COUNTS: Mutex<Counts> = Mutex::new(Counts::new());

/// What follows the plugin's name on QEMU's command line.
struct Arguments {
    out: String,
    /// The marking function: QEMU cuts it into blocks at the end of a page.
    mark: Range<u32>,
    table: u32,
}

impl Arguments {
    fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self { out: "profile.txt".into(), mark: 0..0, table: 0 };
        for word in words {
            let bad = |_| format!("bad number in {word}");
            match word.split_once('=') {
                Some(("out", value)) => arguments.out = value.into(),
                Some(("mark", value)) => {
                    let (start, end) = value.split_once("..").ok_or_else(|| format!("no range in {word}"))?;
                    let number = |text| u32::from_str_radix(text, 16).map_err(bad);
                    arguments.mark = number(start)?..number(end)?;
                }
                Some(("table", value)) => arguments.table = u32::from_str_radix(value, 16).map_err(bad)?,
                _ => return Err(format!("unknown argument {word}")),
            }
        }
        Ok(arguments)
    }
}

/// What QEMU calls first.
///
/// # Safety
/// `info` must point to QEMU's description of itself, and `argv` to `argc` C strings, as QEMU sees to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: sys::Id,
    info: *const sys::Info,
    argc: c_int,
    argv: *const *const c_char,
) -> c_int {
    let words = (0..usize::try_from(argc).unwrap_or(0)).map(|i| {
        // SAFETY: the caller passes `argc` C strings.
        unsafe { CStr::from_ptr(*argv.add(i)) }.to_string_lossy().into_owned()
    });
    let arguments = match Arguments::parse(words) {
        Ok(arguments) => arguments,
        Err(reason) => {
            eprintln!("milligrad-qemu-profile: {reason}");
            return 1;
        }
    };
    // SAFETY: QEMU passes its description, whose first field is the name of what it emulates.
    let target = unsafe { CStr::from_ptr((*info).target_name) }.to_string_lossy();
    let Some(isa) = Isa::of(&target) else {
        eprintln!("milligrad-qemu-profile: it counts instructions of arm and riscv32, not of {target}");
        return 1;
    };
    if ARGUMENTS.set(arguments).is_err() || ISA.set(isa).is_err() {
        eprintln!("milligrad-qemu-profile: load it only once");
        return 1;
    }
    // SAFETY: `id` is the one that QEMU gave, and the functions have the signatures of plugin interface 1.
    unsafe {
        sys::qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
        sys::qemu_plugin_register_atexit_cb(id, ending, std::ptr::null_mut());
    }
    0
}

/// QEMU has translated a block of code: have it call back whenever it runs.
extern "C" fn translated(_: sys::Id, tb: *mut sys::Tb) {
    let Some(isa) = ISA.get() else { return };
    // SAFETY: QEMU passes a block that is valid during this call, with at least one instruction.
    let (address, code) = unsafe { sys::code(*isa, tb) };
    let block: &'static Block = lock().block(address, code);
    // SAFETY: as above; `block` is never freed, so the callback may use it as long as QEMU runs.
    unsafe {
        let data = std::ptr::from_ref(block).cast_mut().cast();
        sys::qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, sys::NO_REGISTERS, data);
        if ARGUMENTS.get().is_some_and(|arguments| arguments.mark.contains(&address)) {
            for i in 0..sys::qemu_plugin_tb_n_insns(tb) {
                let instruction = sys::qemu_plugin_tb_get_insn(tb, i);
                let nothing = std::ptr::null_mut();
                sys::qemu_plugin_register_vcpu_mem_cb(
                    instruction,
                    accessed,
                    sys::NO_REGISTERS,
                    sys::STORES,
                    nothing,
                );
            }
        }
    }
}

/// A block is about to run. One virtual CPU: nothing else calls this at the same time.
extern "C" fn executed(_: c_uint, block: *mut c_void) {
    // SAFETY: `translated` registered this pointer to a block, which is never freed.
    let block: &'static Block = unsafe { &*block.cast_const().cast() };
    block.executed();
}

/// The marking function has accessed memory. QEMU 7.2 reports loads too, and the stack: the address decides.
extern "C" fn accessed(_: c_uint, _: u32, address: u64, _: *mut c_void) {
    let table = ARGUMENTS.get().map_or(0, |arguments| arguments.table);
    if let Some(section) = (address as u32).checked_sub(table).and_then(|offset| u8::try_from(offset).ok()) {
        lock().enter(section);
    }
}

/// QEMU ends.
extern "C" fn ending(_: sys::Id, _: *mut c_void) {
    let Some(Arguments { out, .. }) = ARGUMENTS.get() else { return };
    if let Err(error) = std::fs::write(out, lock().report()) {
        eprintln!("milligrad-qemu-profile: {out}: {error}");
    }
}

fn lock() -> std::sync::MutexGuard<'static, Counts> {
    // Counts are whole after every statement: a panic elsewhere has not spoilt them.
    COUNTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
