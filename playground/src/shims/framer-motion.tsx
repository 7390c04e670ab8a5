// Replaces framer-motion, of which GraphiQL uses only the list of tabs that the mouse can reorder. A finger scrolls
// the list instead.
import { useRef, type ComponentProps, type PointerEvent } from 'react';

interface GroupProps extends ComponentProps<'ul'> {
  values: unknown[];
  onReorder: (values: unknown[]) => void;
  axis: 'x';
}

function Group({ values, onReorder, axis: _axis, ...props }: GroupProps) {
  const dragged = useRef<Element>(null);
  const drag = ({ buttons, clientX, currentTarget }: PointerEvent) => {
    if (buttons !== 1) dragged.current = null;
    if (!dragged.current) return;
    const items = [...currentTarget.children];
    const from = items.indexOf(dragged.current);
    const to = items.findIndex((item, index) => index !== from && isBeyondCenter(clientX, item, index > from));
    if (from >= 0 && to >= 0) onReorder(values.toSpliced(from, 1).toSpliced(to, 0, values[from]));
  };
  const start = ({ pointerType, target }: PointerEvent) => {
    dragged.current = pointerType === 'mouse' && target instanceof Element ? target.closest('li') : null;
  };
  return <ul {...props} onPointerDown={start} onPointerMove={drag} />;
}

/** Returns whether a position is within an item, in the half that is farther from the dragged item. */
function isBeyondCenter(x: number, item: Element, isAfter: boolean): boolean {
  const { left, right, width } = item.getBoundingClientRect();
  const center = left + width / 2;
  return isAfter ? x > center && x < right : x > left && x < center;
}

interface ItemProps extends Omit<ComponentProps<'li'>, 'value'> {
  value: unknown;
  dragElastic: boolean;
}

const Item = ({ value: _value, dragElastic: _elastic, ...props }: ItemProps) => <li {...props} />;

export const Reorder = { Group, Item };
