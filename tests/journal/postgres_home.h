#pragma once
#include <string>

#include "tests/sinks/database.h"

namespace hookswitch::test {

/// The PostgreSQL of this test program, started when it is first asked for.
inline Database& TheDatabase() {
  static Database database;
  return database;
}

/// A schema of its own in it, not created yet.
class OwnSchema {
 public:
  OwnSchema() : name_("journal_" + std::to_string(++count_)) {}
  ~OwnSchema() { (void)TheDatabase().Query("DROP SCHEMA IF EXISTS " + name_ + " CASCADE"); }
  OwnSchema(const OwnSchema&) = delete;
  OwnSchema& operator=(const OwnSchema&) = delete;

  const std::string& name() const { return name_; }
  /// Takes it away from whoever uses it.
  void Rename() {
    const std::string before = name_;
    name_ = "journal_" + std::to_string(++count_);
    (void)TheDatabase().Query("ALTER SCHEMA " + before + " RENAME TO " + name_);
  }

 private:
  static inline int count_ = 0;
  std::string name_;
};

}  // namespace hookswitch::test
