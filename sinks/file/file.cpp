#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "hookswitch/sink.hpp"
#include "rotation.h"

namespace file_sink {

bool IsFull(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/// Appends each event to a file as one line of JSON: {"delivery":…,"rule":…,"event":{…}}. Mode 0600, because
/// transcripts are private. Each line is one write(), so several writers may share a file; a partly written line is
/// removed.
class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host host)
      : host_(host), path_(config.String("path")), sync_(config.Bool("fsync", true)), rotation_(config) {
    if (path_.empty()) throw std::invalid_argument("path is empty");
  }
  ~Sink() { Close(); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  static void Check(const hsw::Config& config, hsw::Report& report) {
    const auto path = config.String("path");
    if (!path.starts_with('/'))
      report("/path", "path must begin with '/': a relative one depends on where hookswitch is started");
    if (path.ends_with('/')) report("/path", "path must name a file, not a folder");
    if (config.Find("rotate.keep") && !config.Find("rotate.megabytes") && !config.Find("rotate.every")) {
      report("/rotate", "rotate needs megabytes, every or both: without them no file is ever set aside");
    }
  }

  hsw::Outcome Deliver(const hsw::Call&, const hsw::Delivery& delivery) {
    if (reopen_.exchange(false) || WasMoved()) Close();
    if (fd_ < 0) {
      if (const int error = Open()) return CannotOpen(error);
    }
    line_ = LineOf(delivery);
    const std::int64_t now_ms = delivery.NowUnixMs();
    if (rotation_.IsDue(size_, static_cast<std::int64_t>(line_.size()), written_ms_, now_ms)) {
      // A growing file is better than a lost line.
      const auto problem = rotation_.SetAside(path_, now_ms);
      if (!problem.empty() && problem != told_) host_.Log(HSW_LOG_WARN, problem);
      told_ = problem;
      Close();
      if (const int error = Open()) return CannotOpen(error);
    }
    auto outcome = Append();
    if (outcome.status() == HSW_DELIVERED) written_ms_ = now_ms;
    return outcome;
  }

  void Preview(const hsw::Delivery& delivery, hsw::Request& request) const {
    request.Url(path_);
    request.Body(LineOf(delivery));
  }

  void Reopen() { reopen_ = true; }

 private:
  static std::string LineOf(const hsw::Delivery& delivery) {
    std::string line = R"({"delivery":)";
    hsw::AppendJsonString(line, delivery.Id());
    line += R"(,"rule":)";
    hsw::AppendJsonString(line, delivery.Rule());
    line += R"(,"event":)";
    line += delivery.EventJson();
    return line + "}\n";
  }

  int Open() {
    // O_NONBLOCK: opening a FIFO must fail below instead of waiting for a reader.
    fd_ = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd_ < 0) return errno;
    struct stat info {};
    if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
      Close();
      return EINVAL;
    }
    device_ = info.st_dev;
    inode_ = info.st_ino;
    size_ = info.st_size;
    written_ms_ = std::int64_t{info.st_mtim.tv_sec} * 1000;
    // After a crash in the middle of a line, the next line must begin on its own.
    char last = '\n';
    if (info.st_size > 0 && ::pread(fd_, &last, 1, info.st_size - 1) == 1 && last != '\n') {
      if (::write(fd_, "\n", 1) != 1) {
        const int error = errno;
        Close();
        return error;
      }
    }
    return 0;
  }

  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  /// True if the path now refers to another file: a log rotation without a reload.
  bool WasMoved() {
    struct stat info {};
    if (fd_ < 0) return false;
    if (::lstat(path_.c_str(), &info) != 0 || info.st_dev != device_ || info.st_ino != inode_) return true;
    size_ = info.st_size;
    return false;
  }

  hsw::Outcome CannotOpen(int error) const {
    const std::string reason = path_ + " cannot be opened: ";
    switch (error) {
      case ELOOP:
        return hsw::Outcome::Misconfigured("symlink", reason + "it is a symbolic link, and those are not followed",
                                           "set path to the file itself and reload")
            .OfSink();
      case EISDIR:
      case EINVAL:
      case ENXIO:
      case ENAMETOOLONG:
        return hsw::Outcome::Misconfigured("not_a_file", reason + "it is not a regular file",
                                           "set path to a file and reload")
            .OfSink();
      case ENOENT:
      case ENOTDIR:
        return hsw::Outcome::Misconfigured(
                   "no_folder", reason + "its folder does not exist",
                   "make the folder, writable for the user hookswitch runs as, and resume the sink")
            .OfSink();
      case EACCES:
      case EPERM:
      case EROFS:
        return hsw::Outcome::Misconfigured(
                   "permission_denied", reason + std::strerror(error),
                   "let the user hookswitch runs as write the file and its folder, and resume the sink")
            .OfSink();
      default: return hsw::Outcome::Retry(IsFull(error) ? "disk_full" : "open_failed", reason + std::strerror(error));
    }
  }

  hsw::Outcome Append() {
    const ssize_t written = ::write(fd_, line_.data(), line_.size());
    if (written == static_cast<ssize_t>(line_.size())) {
      if (!sync_ || ::fdatasync(fd_) == 0) return hsw::Outcome::Delivered();
      const std::string why = std::strerror(errno);
      Close();
      return hsw::Outcome::Retry("fsync_failed", path_ + " may have lost its last line: " + why).MaybeDelivered();
    }
    const int error = written < 0 ? errno : ENOSPC;
    if (written > 0) TakeBack(written);
    Close();
    return hsw::Outcome::Retry(IsFull(error) ? "disk_full" : "write_failed",
                               path_ + " cannot be written: " + std::strerror(error));
  }

  /// Removes a partly written line, unless another writer has appended; then the next Open ends the line.
  void TakeBack(ssize_t written) const {
    struct stat info {};
    const off_t end = ::lseek(fd_, 0, SEEK_CUR);
    if (end >= written && ::fstat(fd_, &info) == 0 && info.st_size == end) {
      [[maybe_unused]] const int ignored = ::ftruncate(fd_, end - written);
    }
  }

  const hsw::Host host_;
  const std::string path_;
  const bool sync_;
  const Rotation rotation_;
  int fd_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::int64_t size_ = 0, written_ms_ = 0;
  std::string line_, told_;
  std::atomic<bool> reopen_ = false;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["path"],
  "properties": {
    "path": {"type": "string", "minLength": 1, "description": "The file, from the root; made (0600) if it is not there."},
    "fsync": {"type": "boolean", "default": true, "description": "Wait for the disk after each line."},
    "rotate": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "megabytes": {"type": "integer", "minimum": 1, "maximum": 1000000, "description": "The file is set aside before it grows past so many millions of bytes."},
        "every": {"type": "string", "enum": ["hour", "day"], "description": "The file is set aside when a new hour or day (UTC) has begun."},
        "keep": {"type": "integer", "minimum": 1, "maximum": 100000, "description": "So many files that were set aside stay; older ones are removed. All, if not set."}
      },
      "description": "Sets the file aside, as PATH.20260304T093000Z, and begins a new one."
    }
  }
})";

}  // namespace file_sink

HSW_CALL_SINK(file_sink::Sink, "file", "1.1.0", "Appends events to a file as lines of JSON", file_sink::kSchema,
              .concurrency = 1)
