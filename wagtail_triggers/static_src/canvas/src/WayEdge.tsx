import {
  BaseEdge,
  EdgeLabelRenderer,
  getSmoothStepPath,
  type Edge,
  type EdgeProps,
} from '@xyflow/react';
import { memo } from 'react';
import { useCanvas } from './context';
import type { Place } from './graph';
import { Icon } from './Icon';

export type WayFlowEdge = Edge<{ place: Place; target: string; lane: number | null; isTarget: boolean }, 'way'>;

/** How far below a step, and above the next, a way turns. */
const TURN = 38;
const RADIUS = 10;

/** A way that passes other steps beside them. */
function throughLane(fromX: number, fromY: number, lane: number, toX: number, toY: number): string {
  const [above, below] = [fromY + TURN, toY - TURN];
  return [
    `M ${fromX},${fromY}`,
    turn(fromX, above, lane),
    turn(lane, below, toX),
    `L ${toX},${toY}`,
  ].join(' ');
}

/** Down to a height, round the corner, across, and round the next corner. */
function turn(x: number, y: number, toX: number): string {
  const side = Math.sign(toX - x);
  const radius = Math.min(RADIUS, Math.abs(toX - x) / 2);
  if (radius < 1) return `L ${x},${y}`;
  return [
    `L ${x},${y - radius}`,
    `Q ${x},${y} ${x + side * radius},${y}`,
    `L ${toX - side * radius},${y}`,
    `Q ${toX},${y} ${toX},${y + radius}`,
  ].join(' ');
}

/** A way from a step to the next, with a button in its middle to put a step there. */
export const WayEdge = memo(function WayEdge(props: EdgeProps<WayFlowEdge>) {
  const { sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition, data, id } = props;
  const { t, pick, readOnly, nameOf } = useCanvas();
  const [direct, labelX, labelY] = getSmoothStepPath({
    sourceX,
    sourceY,
    sourcePosition,
    targetX,
    targetY,
    targetPosition,
    borderRadius: 10,
  });
  if (!data) return null;
  const isPassing = data.lane !== null && targetY > sourceY + 3 * TURN;
  const path = isPassing
    ? throughLane(sourceX, sourceY, data.lane ?? 0, targetX, targetY)
    : direct;
  // Near the source: where several ways meet at one step, the buttons must not lie on each other.
  const near = Math.abs(targetX - sourceX) > 20 ? { x: sourceX, y: sourceY + 24 } : null;
  const at = near ?? { x: labelX, y: labelY };
  const label = t('path_to', { source: nameOf(data.place.source), target: nameOf(data.target) });
  return (
    <>
      <BaseEdge id={id} path={path} {...(props.markerEnd ? { markerEnd: props.markerEnd } : {})} />
      {!readOnly && (
        <EdgeLabelRenderer>
          <button
            type="button"
            className={`triggers-canvas__plus nodrag nopan ${data.isTarget ? 'triggers-canvas__plus--target' : ''}`}
            style={{ transform: `translate(-50%, -50%) translate(${at.x}px, ${at.y}px)` }}
            tabIndex={-1}
            aria-label={label}
            title={t('add_here')}
            data-source={data.place.source}
            data-port={data.place.port}
            onClick={() => pick(data.place)}
          >
            <Icon name="plus" />
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
