#pragma once
#include <gtest/gtest.h>
#include <sqlite3.h>

namespace hookswitch {

/// While one exists a row of a journal that is opened may not be longer than `bytes`.
class RowLimit {
 public:
  explicit RowLimit(int bytes) {
    bytes_ = bytes;
    EXPECT_EQ(sqlite3_auto_extension(reinterpret_cast<void (*)()>(&Set)), SQLITE_OK);
  }
  ~RowLimit() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&Set)); }

 private:
  static int Set(sqlite3* db, const char**, const void*) {
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, bytes_);
    return SQLITE_OK;
  }
  static inline int bytes_ = 0;
};

}  // namespace hookswitch
