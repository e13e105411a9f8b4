//! Another program in the same process.
//!
//! Mirrors: fs/exec.c, fs/binfmt_elf.c, fs/binfmt_script.c, Linux 6.18.
//! Differs: no host execve: the guest range is unmapped and filled anew. Files become complete plans before anything is
//! given up; what Linux finds out only while it maps ends the process here too, though it is known earlier.
//! Locking: the process is single-threaded once `de_thread` is through.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::platform;
use acrida_kcore::regs::{PtRegs, UserFrame};
use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_loader::{Backing, Image, Kind, Plan, Role, Source, StackImage, StackSpec};
use acrida_uapi::auxvec::*;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW};
use acrida_uapi::limits::PATH_MAX;
use acrida_uapi::prctl::{SECBIT_KEEP_CAPS, SECBIT_NOROOT};
use acrida_uapi::resource::RLIMIT_STACK;
use acrida_uapi::signal::SIGSEGV;
use acrida_uapi::stat::{S_ISGID, S_ISUID, S_IXGRP};
use acrida_uapi::wait::WaitStatus;

use crate::abi::SysResult;
use crate::fs::dup::unshare_files;
use crate::fs::fdtable::filp_close;
use crate::fs::file::{File, FileRef};
use crate::kernel::cred::Cred;
use crate::kernel::setid::commit_creds;
use crate::kernel::{exit, lend, prctl, signal};
use crate::mm::layout::Randomize;
use crate::mm::{ExecLayout, KernelMapping, MmStruct, Placement, VmFlags};
use crate::{Task, current};

/// Longest single argument.
const MAX_ARG_STRLEN: usize = 128 << 10;
const PLATFORM: &[u8] = b"x86_64";
const ADDR_NO_RANDOMIZE: u32 = 0x0004_0000;
const CLOCK_TICKS: u64 = 100;

/// An open file as the loader reads it.
pub struct FileSource(pub FileRef);

impl Source for FileSource {
    fn read_at(&self, off: u64, buf: &mut [u8]) -> Result<usize, acrida_loader::Error> {
        crate::fs::open::kernel_read(&self.0, buf, off).map_err(|error| {
            acrida_loader::Error::Source(match error {
                Error::Errno(errno) => errno.raw() as u16,
                Error::Restart(_) => Errno::EINTR.raw() as u16,
            })
        })
    }
}

/// Bytes of a file that hold all its headers, as a rule.
const HEAD: usize = 1024;

/// A file whose beginning is read once.
struct Headed {
    source: FileSource,
    head: Vec<u8>,
}

impl Headed {
    fn new(file: &FileRef) -> Result<Headed, acrida_loader::Error> {
        let source = FileSource(file.clone());
        let mut head = vec![0; HEAD];
        let len = source.read_at(0, &mut head)?;
        head.truncate(len);
        Ok(Headed { source, head })
    }
}

impl Source for Headed {
    fn read_at(&self, off: u64, buf: &mut [u8]) -> Result<usize, acrida_loader::Error> {
        let start = usize::try_from(off).unwrap_or(usize::MAX);
        match self.head.get(start..).and_then(|head| head.get(..buf.len())) {
            Some(bytes) => {
                buf.copy_from_slice(bytes);
                Ok(buf.len())
            }
            None => self.source.read_at(off, buf),
        }
    }
}

fn loader_errno(error: acrida_loader::Error) -> Errno {
    Errno::from_raw(error.errno().into()).unwrap_or(Errno::ENOEXEC)
}

/// What one exec has gathered.
#[doc(alias = "linux_binprm")]
struct Binprm {
    file: FileRef,
    argv: Vec<Vec<u8>>,
    envp: Vec<Vec<u8>>,
    /// The path as `execve` got it (AT_EXECFN).
    execfn: Vec<u8>,
    /// `None`: a segment cannot be mapped, which Linux finds out when the old program cannot be told any more.
    program: Option<Program>,
    cred: Cred,
    secure: bool,
}

/// What is to be mapped.
struct Program {
    plan: Plan,
    interp: Option<(FileRef, Plan)>,
}

/// Whether a script can still be opened by the path its interpreter will get.
#[doc(alias = "BINPRM_FLAGS_PATH_INACCESSIBLE")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByPath {
    Opens,
    ClosesOnExec,
}

pub fn sys_execve(frame: &mut UserFrame) -> SysResult {
    let [path, argv, envp, ..] = frame.regs.args();
    let name = UserAddr(path).read_cstr(PATH_MAX as usize, Errno::ENAMETOOLONG)?;
    execve_at(frame, AT_FDCWD, name, UserAddr(argv), UserAddr(envp), 0)
}

pub fn sys_execveat(frame: &mut UserFrame) -> SysResult {
    let [dirfd, path, argv, envp, flags, _] = frame.regs.args();
    let flags = flags as u32;
    let name = UserAddr(path).read_cstr(PATH_MAX as usize, Errno::ENAMETOOLONG)?;
    if flags & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
        return Err(Errno::EINVAL.into());
    }
    execve_at(frame, dirfd as i32, name, UserAddr(argv), UserAddr(envp), flags)
}

fn execve_at(frame: &mut UserFrame, dirfd: i32, name: Vec<u8>, argv: UserAddr, envp: UserAddr, flags: u32) -> SysResult {
    if name.is_empty() && flags & AT_EMPTY_PATH == 0 {
        return Err(Errno::ENOENT.into());
    }
    let file = crate::fs::open::open_exec(dirfd, &name, flags)?;
    let limit = acrida_loader::arg_limit(current().process.rlimit(RLIMIT_STACK as usize).rlim_cur);
    let mut used = 0;
    let argv = read_strings(argv, limit, &mut used)?;
    let envp = read_strings(envp, limit, &mut used)?;
    let by_descriptor = dirfd != AT_FDCWD && name.first() != Some(&b'/');
    let path = match by_descriptor && current().files().cloexec(dirfd) == Ok(true) {
        true => ByPath::ClosesOnExec,
        false => ByPath::Opens,
    };
    let execfn = match (dirfd, name.first()) {
        (AT_FDCWD, _) | (_, Some(b'/')) => name,
        (fd, None) => alloc::format!("/dev/fd/{fd}").into_bytes(),
        (fd, _) => [alloc::format!("/dev/fd/{fd}/").as_bytes(), &name].concat(),
    };
    let bprm = prepare(file, argv, envp, execfn, path)?;
    begin_new_program(frame, bprm)
}

/// The first program of the world, in the place of a guest that does not exist yet.
pub fn exec_first(path: &[u8], argv: &[Vec<u8>], envp: &[Vec<u8>]) -> Result<(), Error> {
    let file = crate::fs::open::open_exec(AT_FDCWD, path, 0)?;
    let bprm = prepare(file, argv.to_vec(), envp.to_vec(), path.to_vec(), ByPath::Opens)?;
    let thread = acrida_kcore::thread::current();
    let mut frame = thread.frame();
    begin_new_program(&mut frame, bprm)?;
    thread.replace_frame(&frame);
    Ok(())
}

/// A NULL-terminated array of strings; a null array is an empty one.
#[doc(alias = "copy_strings")]
fn read_strings(array: UserAddr, limit: u64, used: &mut u64) -> Result<Vec<Vec<u8>>, Errno> {
    let mut strings = Vec::new();
    if array.is_null() {
        return Ok(strings);
    }
    for index in 0.. {
        let pointer: u64 = array.add(index * 8).read()?;
        if pointer == 0 {
            break;
        }
        let string = UserAddr(pointer).read_cstr(MAX_ARG_STRLEN, Errno::E2BIG)?;
        *used += string.len() as u64 + 1 + 8;
        if *used > limit {
            return Err(Errno::E2BIG);
        }
        strings.push(string);
    }
    Ok(strings)
}

/// Everything that can be refused: formats, interpreters, scripts.
#[doc(alias = "bprm_execve")]
fn prepare(
    mut file: FileRef,
    mut argv: Vec<Vec<u8>>,
    envp: Vec<Vec<u8>>,
    execfn: Vec<u8>,
    path: ByPath,
) -> Result<Binprm, Error> {
    let mut name = execfn.clone();
    if argv.is_empty() {
        argv.push(Vec::new());
    }
    for depth in 0..=acrida_loader::MAX_SCRIPT_DEPTH {
        let program = match unless_unmappable(Headed::new(&file).and_then(|source| acrida_loader::probe(&source, TASK_SIZE)))? {
            Some(Image::Script(script)) => {
                if path == ByPath::ClosesOnExec {
                    return Err(Errno::ENOENT.into());
                }
                if depth == acrida_loader::MAX_SCRIPT_DEPTH {
                    return Err(Errno::ELOOP.into());
                }
                argv = script.rewrite_argv(&name, &argv);
                // No name at all is the current directory, which is none.
                file = crate::fs::open::open_exec(AT_FDCWD, &script.interpreter, AT_EMPTY_PATH)?;
                name = script.interpreter;
                continue;
            }
            Some(Image::Elf(plan)) => with_interpreter(plan)?,
            None => None,
        };
        let (cred, secure) = program_cred(&file)?;
        return Ok(Binprm { file, argv, envp, execfn, program, cred, secure });
    }
    Err(Errno::ELOOP.into())
}

fn with_interpreter(plan: Plan) -> Result<Option<Program>, Error> {
    let Some(path) = &plan.interp else { return Ok(Some(Program { plan, interp: None })) };
    let file = crate::fs::open::open_exec(AT_FDCWD, path, 0)?;
    let source = Headed::new(&file);
    let interp = unless_unmappable(source.and_then(|source| acrida_loader::plan(&source, Role::Interpreter, TASK_SIZE)))?;
    Ok(interp.map(|interp| Program { plan, interp: Some((file, interp)) }))
}

/// `None` for what Linux refuses only while it maps.
fn unless_unmappable<T>(found: Result<T, acrida_loader::Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(acrida_loader::Error::Inval) => Ok(None),
        Err(error) => Err(loader_errno(error).into()),
    }
}

/// The credentials the program runs with, and whether AT_SECURE is set.
#[doc(alias = "bprm_fill_uid")]
fn program_cred(file: &File) -> Result<(Cred, bool), Error> {
    let old = current().cred();
    let mut new = (*old).clone();
    // As its opening saw it, a moment ago.
    let owner = file.inode().ok_or(Errno::EACCES)?.owner();
    let nosuid = file.path.as_ref().is_some_and(|p| p.mnt.nosuid()) || old.no_new_privs;
    if !nosuid && owner.mode & S_ISUID != 0 {
        new.euid = owner.uid;
    }
    if !nosuid && owner.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP {
        new.egid = owner.gid;
    }
    new.suid = new.euid;
    new.fsuid = new.euid;
    new.sgid = new.egid;
    new.fsgid = new.egid;
    let secure = new.euid != old.uid || new.egid != old.gid;
    if secure {
        new.cap_ambient = 0;
    }
    if old.securebits & SECBIT_NOROOT == 0 && (new.euid == 0 || new.uid == 0) {
        // Root's programs get what the bounding set leaves.
        new.cap_permitted = old.cap_inheritable | old.cap_bset;
        new.cap_effective = if new.euid == 0 { new.cap_permitted } else { 0 };
    } else {
        new.cap_permitted = new.cap_ambient;
        new.cap_effective = new.cap_ambient;
    }
    new.securebits &= !SECBIT_KEEP_CAPS;
    Ok((new, secure))
}

/// Whether the caller would notice nothing of an exec that ends before its memory is replaced: it has no other threads, and
/// nobody is told that it left its memory.
fn can_come_back(task: &Task) -> bool {
    let is_alone = task.process.threads.lock().len() == 1;
    is_alone && [&task.robust_list, &task.clear_child_tid].iter().all(|word| word.load(Ordering::Relaxed) == 0)
}

/// The point of no return and what lies behind it.
#[doc(alias = "begin_new_exec")]
fn begin_new_program(frame: &mut UserFrame, bprm: Binprm) -> SysResult {
    let me = current();
    let can_come_back = can_come_back(me);
    exit::de_thread()?;
    let stack_limit = me.process.rlimit(RLIMIT_STACK as usize).rlim_cur;
    let randomize = match me.process.personality.load(Ordering::Relaxed) & ADDR_NO_RANDOMIZE {
        0 => Randomize::On,
        _ => Randomize::Off,
    };
    crate::kernel::futex::mm_release(me);
    // From here on the parent goes on, if this was its host thread.
    let left = lend::leave_shared_memory();
    if let Err(errno) = left
        && can_come_back
    {
        return Err(errno.into());
    }
    let mm = me.mm();
    let loaded = left
        .and_then(|()| mm.exec_reset(ExecLayout { stack_limit, randomize }))
        .map_err(Error::from)
        .and_then(|()| load(&mm, &bprm, stack_limit, randomize));
    let vfork = me.vfork_done.lock().take();
    if let Some(vfork) = vfork {
        vfork.complete();
    }
    let (entry, stack) = match loaded {
        Ok(loaded) => loaded,
        // Too late to tell anybody. Nothing is dropped behind a call that does not come back.
        Err(_) => {
            drop((bprm, mm));
            exit::do_group_exit(WaitStatus::signaled(SIGSEGV, false))
        }
    };
    me.process.did_exec.store(true, Ordering::Relaxed);
    me.process.dumpable.store(1, Ordering::Relaxed);
    let files = unshare_files();
    let fs = current().fs();
    // Two references are the task's and ours.
    if Arc::strong_count(&fs) == 2 {
        fs.adopt();
    }
    for file in files.take_cloexec() {
        // The old program will never hear of an error.
        let _ = filp_close(file, &files);
    }
    crate::fs::locust::swarm::program_replaced(&me.process, &files);
    signal::flush_signal_handlers(&me.process);
    crate::kernel::time::exec_timers(me);
    let old = me.cred();
    commit_creds(bprm.cred.clone(), &old);
    let base = bprm.execfn.rsplit(|&b| b == b'/').next().unwrap_or(&bprm.execfn);
    prctl::set_comm(base);
    if let Some(Program { interp: Some((interpreter, _)), .. }) = &bprm.program {
        // Only the program itself stays protected.
        interpreter.allow_writers();
    }
    let old_exe = me.process.exe.lock().replace(bprm.file.clone());
    drop(old_exe);
    platform().set_fs_base(0);
    frame.regs = PtRegs {
        rip: entry,
        rsp: stack.rsp,
        cs: 0x33,
        ss: 0x2b,
        eflags: 0x202,
        orig_rax: frame.regs.orig_rax,
        ..PtRegs::default()
    };
    frame.full_restore = 1;
    platform().fpu_reset(frame);
    Ok(0)
}

/// Maps program, interpreter and stack; the entry point and the stack.
#[doc(alias = "load_elf_binary")]
fn load(mm: &Arc<MmStruct>, bprm: &Binprm, stack_limit: u64, randomize: Randomize) -> Result<(u64, StackImage), Error> {
    let Program { plan, interp } = bprm.program.as_ref().ok_or(Errno::EINVAL)?;
    let exec = if plan.stack_exec { VmFlags::EXEC } else { VmFlags::empty() };
    let stack_top = mm.map_stack(stack_limit, exec)?;
    let wish = match (plan.kind, interp) {
        (Kind::Fixed, _) => None,
        // A static-pie program, or the interpreter run as one, lies where libraries do.
        (Kind::Relocatable, None) => Some(0),
        (Kind::Relocatable, Some(_)) => Some(randomize.pie_base() & !(plan.align - 1)),
    };
    let bias = map_image(mm, &bprm.file, plan, wish)?;
    let (entry, base) = match interp {
        Some((file, interp)) => {
            let base = map_image(mm, file, interp, if interp.kind == Kind::Fixed { None } else { Some(0) })?;
            (base.wrapping_add(interp.entry), base)
        }
        None => (bias.wrapping_add(plan.entry), 0),
    };
    mm.set_brk(bias.wrapping_add(plan.brk));
    let stack = build_stack(bprm, plan, bias, base, stack_top)?;
    UserAddr(stack.rsp).write_bytes(&stack.bytes)?;
    let mut program = mm.program.lock();
    program.start_code = bias.wrapping_add(plan.code.start);
    program.end_code = bias.wrapping_add(plan.code.end);
    program.start_data = bias.wrapping_add(plan.data.start);
    program.end_data = bias.wrapping_add(plan.data.end);
    program.start_stack = stack.rsp;
    program.arg_start = stack.args.start;
    program.arg_end = stack.args.end;
    program.env_start = stack.env.start;
    program.env_end = stack.env.end;
    let auxv_at = (stack.auxv - stack.rsp) as usize;
    let words = stack.bytes[auxv_at..].chunks_exact(8).map(|w| u64::from_le_bytes(w.try_into().unwrap_or([0; 8])));
    let mut auxv: Vec<u64> = Vec::new();
    for word in words {
        auxv.push(word);
        if auxv.len() % 2 == 0 && auxv[auxv.len() - 2] == AT_NULL {
            break;
        }
    }
    program.auxv = auxv;
    drop(program);
    Ok((entry, stack))
}

/// Maps one ELF file; gives its load bias. `wish`: none for fixed addresses, 0 for anywhere.
#[doc(alias = "elf_map")]
fn map_image(mm: &MmStruct, file: &FileRef, plan: &Plan, wish: Option<u64>) -> Result<u64, Error> {
    let bias = match wish {
        None => 0,
        Some(wish) => {
            // A place for the whole span: nobody else maps anything before the segments are there.
            let at = mm.free_place(wish, plan.span.end - plan.span.start + plan.align - 4096)?;
            at.next_multiple_of(plan.align).wrapping_sub(plan.span.start)
        }
    };
    for mapping in &plan.mappings {
        let file = match mapping.backing {
            Backing::File { offset, .. } => Some((file.clone(), offset)),
            Backing::Anonymous => None,
        };
        let start = bias.wrapping_add(mapping.vaddr);
        let prot = mapping.prot.bits().into();
        mm.mmap_kernel(&KernelMapping { place: Placement::Fixed(start), len: mapping.len, prot, file })?;
        if let Backing::File { zero_tail, .. } = mapping.backing
            && zero_tail > 0
            && prot & 2 != 0
        {
            UserAddr(start + mapping.len - zero_tail).write_bytes(&vec![0; zero_tail as usize])?;
        }
    }
    Ok(bias)
}

fn build_stack(bprm: &Binprm, plan: &Plan, bias: u64, base: u64, stack_top: u64) -> Result<StackImage, Error> {
    let cred = &bprm.cred;
    let mut random = [0u8; 24];
    platform().random(&mut random);
    let shift = u64::from(u16::from_le_bytes([random[16], random[17]])) & 0x1ff0;
    let (hwcap, hwcap2) = crate::host::hwcaps();
    let auxv = [
        (AT_SYSINFO_EHDR, platform().vdso_base()),
        (AT_HWCAP, hwcap),
        (AT_PAGESZ, 4096),
        (AT_CLKTCK, CLOCK_TICKS),
        (AT_PHDR, if plan.phdr_vaddr == 0 { 0 } else { bias.wrapping_add(plan.phdr_vaddr) }),
        (AT_PHENT, 56),
        (AT_PHNUM, plan.phnum.into()),
        (AT_BASE, base),
        (AT_FLAGS, 0),
        (AT_ENTRY, bias.wrapping_add(plan.entry)),
        (AT_UID, cred.uid.into()),
        (AT_EUID, cred.euid.into()),
        (AT_GID, cred.gid.into()),
        (AT_EGID, cred.egid.into()),
        (AT_SECURE, bprm.secure.into()),
        (AT_RANDOM, 0),
        (AT_HWCAP2, hwcap2),
        (AT_EXECFN, 0),
        (AT_PLATFORM, 0),
        (AT_MINSIGSTKSZ, platform().fpu_size() as u64 + 1024),
    ];
    let auxv: Vec<(u64, u64)> = auxv.into_iter().filter(|&(key, value)| key != AT_SYSINFO_EHDR || value != 0).collect();
    let spec = StackSpec {
        argv: &bprm.argv,
        envp: &bprm.envp,
        auxv: &auxv,
        random: random[..16].try_into().unwrap_or([0; 16]),
        execfn: &bprm.execfn,
        platform: PLATFORM,
        stack_top,
        shift,
        limit: acrida_loader::arg_limit(current().process.rlimit(RLIMIT_STACK as usize).rlim_cur),
    };
    spec.build().map_err(|error| loader_errno(error).into())
}
