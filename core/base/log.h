#pragma once
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <variant>

/// JSON log lines on stderr: {"ts":"…","level":"warn","event":"delivery_retry","sink":"ops","attempt":3}.
///
/// One line is one event with a stable name. Never pass a secret, a transcript, a phone number, or another program's
/// output: log its error code, status and length instead. Characters that a terminal interprets or hides are escaped. A
/// separate thread writes the lines from a bounded queue, so a blocked stderr never blocks the caller: the oldest lines
/// are then dropped and counted (Dropped). Lines within a millisecond are written together. If stderr is systemd's
/// journal ($JOURNAL_STREAM), each line begins with its priority, "<4>". [thread: any]
namespace hookswitch::log {

enum class Level { kDebug, kInfo, kWarn, kError };

struct Field {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;
  template <std::convertible_to<std::string_view> T>
  Field(std::string_view name, const T& text) : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, bool flag) : key(name), value(flag) {}
  Field(std::string_view name, double number) : key(name), value(number) {}
  template <std::signed_integral T>
  Field(std::string_view name, T number) : key(name), value(static_cast<std::int64_t>(number)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) Field(std::string_view name, T number)
      : key(name), value(static_cast<std::uint64_t>(number)) {}

  std::string_view key;  ///< borrowed for the duration of the call
  Value value;
};
using Fields = std::initializer_list<Field>;

void Debug(std::string_view event, Fields fields = {});
void Info(std::string_view event, Fields fields = {});
void Warn(std::string_view event, Fields fields = {});
void Error(std::string_view event, Fields fields = {});

/// Drops lines below `level`. Default: kInfo.
void SetLevel(Level level);
/// Blocks until all lines logged so far are written, about a second at most.
void Flush();
/// Lines dropped so far because stderr did not keep up.
std::uint64_t Dropped();
/// Tests: passes each line to `writer` on the caller's thread instead of stderr; nullptr restores stderr.
void SetWriterForTest(std::function<void(Level, std::string_view line)> writer);

}  // namespace hookswitch::log
