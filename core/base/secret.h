#pragma once
#include <string>
#include <string_view>

namespace hookswitch {

/// A value that must not be printed: it has no stream operator, no log field and no JSON form, and its memory is
/// wiped when it goes. Reveal() is the one way in; grep for it to see every use.
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

  /// Compares in a time that does not depend on where the two differ.
  bool Equals(std::string_view candidate) const;
  friend bool operator==(const Secret& a, const Secret& b) { return a.Equals(b.value_); }

 private:
  void Wipe();
  std::string value_;
};

}  // namespace hookswitch
