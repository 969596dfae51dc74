#pragma once
#include <string>
#include <utility>
#include <variant>

#include "core/base/check.h"

namespace hookswitch {

/// Kind of failure, for callers; the message is for people.
enum class ErrorCode {
  kInvalid,      ///< the input is wrong; the same input will fail again
  kNotFound,     ///< the named object does not exist
  kUnavailable,  ///< not now; try later (disk full, locked, peer gone)
  kFull,         ///< a configured limit is reached; try later
  kTooLarge,     ///< over a size limit
  kUnsupported,  ///< wrong version or missing ability
  kInternal,     ///< a bug in hookswitch
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  ///< what, where, why, what to do; never holds a secret
};

/// Empty value, for operations that only succeed or fail.
struct Unit {};

/// A value or an Error. Ignoring one does not compile. Member names are those of std::expected, which g++ 12 does not
/// have. Accessing the absent alternative aborts.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & {
    HSW_CHECK(has_value(), "callers ask has_value() before value()");
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    HSW_CHECK(has_value(), "callers ask has_value() before value()");
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    HSW_CHECK(!has_value(), "callers ask has_value() before error()");
    return *std::get_if<1>(&state_);
  }
  Error&& error() && { return std::move(const_cast<Error&>(std::as_const(*this).error())); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<Unit>;
inline Status Ok() {
  return Unit{};
}

}  // namespace hookswitch

/// Returns the error of `expr` from the enclosing function, if it has one.
#define HSW_TRY(expr)                                                                \
  do {                                                                               \
    if (auto hsw_status = (expr); !hsw_status) return std::move(hsw_status).error(); \
  } while (false)
