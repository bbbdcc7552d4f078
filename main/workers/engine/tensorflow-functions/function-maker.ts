import { readOperations, writeFunction, type AttributeKinds, type OperationKind } from './function-def.ts'
import type { Handle } from './handles.ts'
import { planTo, resultAt, type Node } from './remembered.ts'

/** Of the addon: what making a function asks for. */
export interface FunctionDoor extends AttributeKinds {
  /** @param definition the bytes of a FunctionDef */
  addFunction(definition: Uint8Array): void
  /** The bytes of an OpList. */
  listOperations(): Uint8Array
}

export interface FunctionMaker {
  /**
   * Adds what leads from the root to `end` to TensorFlow. @returns its name
   * @param outside its arguments  @param places of the results that it gives
   * @throws what TensorFlow says against it
   */
  make(end: Node, outside: readonly Handle[], places: readonly number[]): string
}

export function functionMaker(door: FunctionDoor): FunctionMaker {
  let known: ReadonlyMap<string, OperationKind> | null = null
  let made = 0
  return {
    make(end, outside, places) {
      known ??= readOperations(door.listOperations())
      const name = `pairlab_stretch_${(made += 1)}`
      const plan = {
        name,
        argumentTypes: outside.map(({ dtype }) => dtype),
        operations: planTo(end, outside),
        results: places.map(resultAt),
      }
      door.addFunction(writeFunction(plan, known, door))
      return name
    },
  }
}
