#include "core/base/memory.h"

#include <malloc.h>

#include "core/base/check.h"

// From tcmalloc (gperftools/malloc_extension_c.h); null in a build without it.
extern "C" [[gnu::weak]] int MallocExtension_GetNumericProperty(const char* property, std::size_t* value);
extern "C" [[gnu::weak]] void MallocExtension_ReleaseFreeMemory(void);

namespace hookswitch {

std::size_t AllocatedBytes() {
  if (MallocExtension_GetNumericProperty == nullptr) return ::mallinfo2().uordblks;
  std::size_t bytes = 0;
  HSW_CHECK(MallocExtension_GetNumericProperty("generic.current_allocated_bytes", &bytes) != 0,
            "tcmalloc counts what is in use");
  return bytes;
}

void ReleaseFreeMemory() {
  if (MallocExtension_ReleaseFreeMemory == nullptr) {
    ::malloc_trim(0);
  } else {
    MallocExtension_ReleaseFreeMemory();
  }
}

}  // namespace hookswitch
