#pragma once
#include <string>
#include <string_view>

namespace hookswitch {

/// A value that must not be printed: no stream operator, no log field, no JSON form. Its memory is wiped on
/// destruction. Reveal() is the only access; grep for it to find every use.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.Wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { Wipe(); }

  bool empty() const { return value_.empty(); }
  const std::string& Reveal() const { return value_; }

  /// Constant-time comparison.
  bool Equals(std::string_view candidate) const;
  friend bool operator==(const Secret& a, const Secret& b) { return a.Equals(b.value_); }

 private:
  void Wipe();
  std::string value_;
};

}  // namespace hookswitch
