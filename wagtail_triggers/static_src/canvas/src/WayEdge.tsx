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

export type WayFlowEdge = Edge<{ place: Place; target: string; isTarget: boolean }, 'way'>;

/** A way from a step to the next, with a button in its middle to put a step there. */
export const WayEdge = memo(function WayEdge(props: EdgeProps<WayFlowEdge>) {
  const { sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition, data, id } = props;
  const { t, pick, readOnly, nameOf } = useCanvas();
  const [path, labelX, labelY] = getSmoothStepPath({
    sourceX,
    sourceY,
    sourcePosition,
    targetX,
    targetY,
    targetPosition,
    borderRadius: 10,
  });
  if (!data) return null;
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
