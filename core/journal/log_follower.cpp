#include "core/journal/log_follower.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "core/base/thread_name.h"

namespace hookswitch {
namespace {

// A round is some thousand frames: far less than one passes between two looks.
constexpr std::chrono::milliseconds kLookEvery{5};

std::uint32_t Number(const char* bytes) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

}  // namespace

Result<std::unique_ptr<LogFollower>> LogFollower::Start(const std::string& path) {
  auto opened = Database::Open(path, Database::Mode::kRead);
  if (!opened) return opened.error();
  // The connection must read once to know of the log.
  const auto page_size = opened->Ask("PRAGMA page_size");
  if (!page_size) return page_size.error();
  if (const auto read = opened->Ask("SELECT count(*) FROM sqlite_schema"); !read) return read.error();
  std::unique_ptr<LogFollower> follower(new LogFollower(std::move(*opened), static_cast<std::uint64_t>(*page_size)));
  {
    MutexLock lock(follower->mu_);
    const auto log = follower->db_.ReadLog();
    if (!log) return log.error();
    follower->round_ = log->round;
    HSW_TRY(follower->Look());
  }
  follower->thread_ = std::thread([follower = follower.get()] { follower->Run(); });
  return follower;
}

LogFollower::~LogFollower() {
  {
    MutexLock lock(mu_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void LogFollower::Run() {
  NameThread("follow-log");
  MutexLock lock(mu_);
  while (!stop_) {
    // Take looks as well, and returns the error.
    (void)Look();
    changed_.WaitUntil(mu_, std::chrono::steady_clock::now() + kLookEvery);
  }
}

Result<LogFollower::Changes> LogFollower::Take(std::size_t most) {
  MutexLock lock(mu_);
  HSW_TRY(Look());
  Changes changes;
  changes.lost = lost_;
  while (!moved_.empty() && changes.moved.size() < most) {
    changes.moved.push_back(*moved_.begin());
    moved_.erase(moved_.begin());
  }
  if (!changes.moved.empty()) return changes;
  const std::size_t end = std::min(frames_.size(), taken_ + most);
  changes.first_frame = static_cast<std::uint32_t>(taken_ + 1);
  for (; taken_ < end; ++taken_) changes.logged.push_back(frames_[taken_]);
  return changes;
}

Status LogFollower::Look() {
  while (!lost_) {
    const auto log = db_.ReadLog();
    if (!log) return log.error();
    if (log->round == round_) {
      HSW_TRY(ReadFrames(log->frames));
      if (frames_.size() >= log->frames) return Ok();
      continue;  // the round has ended meanwhile
    }
    HSW_TRY(ReadRest(log->round));
    moved_.insert(frames_.begin(), frames_.end());
    frames_.clear();
    taken_ = 0;
    round_ = log->round;
  }
  return Ok();
}

Status LogFollower::ReadFrames(std::uint32_t until) {
  while (frames_.size() < until) {
    const auto frame = ReadFrame(frames_.size() + 1);
    if (!frame) return frame.error();
    if (frame->round != round_) return Ok();
    frames_.push_back(frame->page);
  }
  return Ok();
}

// The previous round's frames stay in the file until the new round overwrites them.
Status LogFollower::ReadRest(std::uint64_t round) {
  if (round_ == 0 && frames_.empty()) {
    // There was no log. A log that starts from nothing has checkpoint sequence number 0.
    std::array<char, kLogHeader> header{};
    HSW_TRY(db_.ReadBytes(Database::Part::kLog, 0, header));
    lost_ = Number(&header[12]) != 0 || RoundOf(&header[16]) != round;
    return Ok();
  }
  if (static_cast<std::uint32_t>(round >> 32) != static_cast<std::uint32_t>(round_ >> 32) + 1) {
    lost_ = true;
    return Ok();
  }
  for (;;) {
    const auto size = db_.SizeOf(Database::Part::kLog);
    if (!size) return size.error();
    const std::uint64_t end = kLogHeader + frames_.size() * frame_bytes_;
    if (*size < end + frame_bytes_) {
      // The round ends here, unless the file was truncated.
      lost_ = *size != end;
      return Ok();
    }
    const auto frame = ReadFrame(frames_.size() + 1);
    if (!frame) return frame.error();
    if (frame->round == round_) {
      frames_.push_back(frame->page);
      continue;
    }
    lost_ = frame->round == round;
    return Ok();
  }
}

Result<LogFollower::Frame> LogFollower::ReadFrame(std::uint64_t number) {
  std::array<char, kFrameHeader> header{};
  HSW_TRY(db_.ReadBytes(Database::Part::kLog, kLogHeader + (number - 1) * frame_bytes_, header));
  return Frame{RoundOf(&header[8]), Number(header.data())};
}

}  // namespace hookswitch
